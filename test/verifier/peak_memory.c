/*
 * peak_memory.c
 *		Runs a command and prints the most memory it had, in KiB, behind its
 *		exit status.
 */
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

int
main(int argc, char **argv)
{
	struct rusage usage;
	pid_t		child;
	int			status;

	if (argc < 2 || posix_spawnp(&child, argv[1], NULL, NULL, argv + 1, environ) != 0 ||
		waitpid(child, &status, 0) != child || getrusage(RUSAGE_CHILDREN, &usage) != 0)
		return 1;
	printf("%d %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1, usage.ru_maxrss);
	return 0;
}
