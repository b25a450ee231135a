/*
 * feed.h
 *		The feeds being written: per node its key, its next seq and the hash
 *		of its last package.
 */
#ifndef ECERT_TOOLS_FEED_H
#define ECERT_TOOLS_FEED_H

#include "core/package.h"

typedef struct Feed
{
	char	   *node;
	EcertPrivateKey *key;
	int64_t		seq;
	uint8_t		prev[ECERT_HASH_SIZE];
} Feed;

typedef struct Feeds
{
	Feed	   *slots;			/* open addressing; node is NULL in free ones */
	size_t		capacity;		/* a power of 2 */
	size_t		count;
	uint8_t		genesis[ECERT_HASH_SIZE];
	EcertAlg	alg;
} Feeds;

extern EcertCode feeds_init(Feeds *feeds, EcertAlg alg, EcertSlice genesis);

/* The node's feed, made with its test key when it is new; it moves when another feed is made */
extern EcertCode feeds_get(Feeds *feeds, const char *node, Feed **feed);
extern void feeds_free(Feeds *feeds);

#endif							/* ECERT_TOOLS_FEED_H */
