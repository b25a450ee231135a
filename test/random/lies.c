/*
 * lies.c
 *		Which wrong things are signed on this ledger: chosen before it is made,
 *		so that rare occasions get their share.
 */
#include "world.h"

static const char *const names[LIE_COUNT] = {
#define LIE(name) #name,
	LIES(LIE)
#undef LIE
};

static int	planned[LIE_COUNT];
bool		telling;

/* Choose so many lies at random */
void
plan_lies(int count)
{
	for (; count > 0; count--)
		planned[below(LIE_COUNT)]++;
}

/* Choose a lie by its name */
void
plan_lie(const char *name)
{
	for (int i = 0; i < LIE_COUNT; i++)
	{
		if (strcmp(names[i], name) == 0)
		{
			planned[i]++;
			return;
		}
	}
	fprintf(stderr, "random-ledger: there is no lie \"%s\"\n", name);
	exit(2);
}

/* Not always on the first occasion */
bool
lie(Lie which)
{
	if (planned[which] == 0 || one_in(3))
		return false;
	planned[which]--;
	note("lie: %s", names[which]);
	return true;
}

/* Tell people, when they asked for it, what was done */
void
note(const char *format,...)
{
	va_list		arguments;

	if (!telling)
		return;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}
