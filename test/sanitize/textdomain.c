/*
 * textdomain.c
 *		Messages stay in English in a server under AddressSanitizer.
 *
 * Loaded in front of PostgreSQL beside libasan (scripts/dev.sh).  While it
 * starts, libasan looks for functions that this libc has not; the message that
 * dlsym() makes of it, in a process whose allocator is not ready, leaves
 * gettext's lock held, and the server's first bindtextdomain() would wait for
 * it for ever (gcc 12, clang 14, glibc 2.36).
 */
#include <libintl.h>

#undef bindtextdomain
#undef textdomain

char *
bindtextdomain(const char *domain, const char *folder)
{
	(void) domain;
	return (char *) folder;
}

char *
textdomain(const char *domain)
{
	return (char *) domain;
}
