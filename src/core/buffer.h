/*
 * buffer.h
 *		Borrowed bytes to read and caller-owned bytes to write.
 *
 * Nothing in src/core allocates.  A reader gets an EcertSlice, by value; a
 * writer fills an EcertBuffer that the caller sized.
 */
#ifndef ECERT_CORE_BUFFER_H
#define ECERT_CORE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* size bytes at data, owned by somebody else; data may be NULL when size is 0 */
typedef struct EcertSlice
{
	const uint8_t *data;
	size_t		size;
} EcertSlice;

/*
 * A writer.  size counts what was asked to be written, even past capacity, so
 * that a first pass over a zero-capacity buffer measures; size > capacity
 * means the content did not fit and is not to be used.
 */
typedef struct EcertBuffer
{
	uint8_t    *data;
	size_t		capacity;
	size_t		size;
} EcertBuffer;

static inline EcertSlice
ecert_slice(const void *data, size_t size)
{
	EcertSlice	slice = {(const uint8_t *) data, size};

	return slice;
}

/* The bytes of a C string, its end excluded */
static inline EcertSlice
ecert_slice_text(const char *string)
{
	return ecert_slice(string, strlen(string));
}

static inline bool
ecert_slice_equal(EcertSlice a, EcertSlice b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Bytewise order, a prefix before what it begins: less than, equal, greater than 0 */
static inline int
ecert_slice_compare(EcertSlice a, EcertSlice b)
{
	size_t		common = a.size < b.size ? a.size : b.size;
	int			order = common == 0 ? 0 : memcmp(a.data, b.data, common);

	if (order != 0)
		return order;
	return (a.size > b.size) - (a.size < b.size);
}

static inline EcertBuffer
ecert_buffer(void *data, size_t capacity)
{
	EcertBuffer buffer = {(uint8_t *) data, capacity, 0};

	return buffer;
}

static inline bool
ecert_buffer_fits(const EcertBuffer *buffer)
{
	return buffer->size <= buffer->capacity;
}

/* Append bytes; past capacity only the size grows */
static inline void
ecert_buffer_put(EcertBuffer *buffer, EcertSlice bytes)
{
	if (bytes.size > 0 && buffer->size <= buffer->capacity &&
		bytes.size <= buffer->capacity - buffer->size)
		memcpy(buffer->data + buffer->size, bytes.data, bytes.size);
	buffer->size += bytes.size;
}

#endif							/* ECERT_CORE_BUFFER_H */
