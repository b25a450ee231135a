/*
 * memory.c
 *		Memory, or the end of the program.
 */
#include "verifier/verifier.h"

void *
need(void *memory)
{
	if (memory == NULL)
	{
		fputs("ecert-verify: out of memory\n", stderr);
		exit(EXIT_NOT_CHECKED);
	}
	return memory;
}
