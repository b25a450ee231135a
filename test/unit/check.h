/*
 * check.h
 *		A test program in TAP: CHECK(condition, "name with %s", argument) per
 *		assertion, and "return check_done();" at the end of main.
 */
#ifndef ECERT_TEST_CHECK_H
#define ECERT_TEST_CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int	check_count = 0;
static int	check_failures = 0;

#define CHECK(condition, ...) \
	check_that((condition), #condition, __FILE__, __LINE__, __VA_ARGS__)

/* Equal bytes; on failure both are printed in hex */
#define CHECK_BYTES(found, expected, size, ...) \
	check_bytes((found), (expected), (size), __FILE__, __LINE__, __VA_ARGS__)

/* Equal integers; on failure both are printed */
#define CHECK_INT(found, expected, ...) \
	check_int((long long) (found), (long long) (expected), __FILE__, __LINE__, __VA_ARGS__)

static void
check_line(bool passed, const char *file, int line, const char *format, va_list arguments)
{
	printf("%sok %d - ", passed ? "" : "not ", ++check_count);
	vprintf(format, arguments);
	putchar('\n');
	if (!passed)
	{
		check_failures++;
		printf("# failed at %s:%d\n", file, line);
	}
}

__attribute__((unused, format(printf, 5, 6)))
static bool
check_that(bool passed, const char *condition, const char *file, int line, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	check_line(passed, file, line, format, arguments);
	va_end(arguments);
	if (!passed)
		printf("# %s\n", condition);
	return passed;
}

__attribute__((unused, format(printf, 5, 6)))
static bool
check_int(long long found, long long expected, const char *file, int line, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	check_line(found == expected, file, line, format, arguments);
	va_end(arguments);
	if (found != expected)
		printf("# found %lld, expected %lld\n", found, expected);
	return found == expected;
}

static void
check_print_hex(const char *label, const unsigned char *bytes, size_t size)
{
	printf("# %s ", label);
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

__attribute__((unused, format(printf, 6, 7)))
static bool
check_bytes(const void *found, const void *expected, size_t size,
			const char *file, int line, const char *format,...)
{
	bool		passed = size == 0 || memcmp(found, expected, size) == 0;
	va_list		arguments;

	va_start(arguments, format);
	check_line(passed, file, line, format, arguments);
	va_end(arguments);
	if (!passed)
	{
		check_print_hex("found   ", found, size);
		check_print_hex("expected", expected, size);
	}
	return passed;
}

/* Print the plan; the program's exit status */
__attribute__((unused))
static int
check_done(void)
{
	printf("1..%d\n", check_count);
	if (check_failures > 0)
		printf("# %d of %d failed\n", check_failures, check_count);
	return check_failures > 0 ? 1 : 0;
}

#endif							/* ECERT_TEST_CHECK_H */
