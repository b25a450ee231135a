/*
 * random-ledger.c
 *		Makes a small random ledger and writes it as COPY would: all kinds of
 *		packages, mostly right, with lies that are well signed and damage that
 *		is not.  Everything follows from the seed.
 *
 *   random-ledger SEED [options] > DUMP
 *   random-ledger FIRST LAST DIRECTORY [options]     DIRECTORY/SEED for each
 *
 *   --binary        as COPY ... (FORMAT binary)
 *   --honest        no lies and no damage
 *   --no-damage     lies only
 *   --lie NAME      this lie too (world.h has the names); may be given again
 *   --tell          say on standard error what was done
 */
#include "world.h"

#include <getopt.h>
#include <sys/wait.h>
#include <unistd.h>

static bool binary;
static bool honest;
static bool undamaged;
static int years_worked;
static const char *asked_for[16];
static int	asked_count;

/* ----- the history of a ledger ----- */

/* The nodes that the ledger begins with */
static void
enroll_all(void)
{
	static const char *const plant_ids[] = {"plant-1", "钢厂", "plant \"B\"", "a"};
	static const char *const auditor_ids[] = {"supplier", "客户", "peer-1", "buyer\\2", "zz.example"};
	int			auditors = (int) between(2, COUNT(auditor_ids));
	int			first = (int) below(COUNT(plant_ids));

	for (int i = 0; i < auditors; i++)
		(void) enroll(auditor_ids[i], ROLE_AUDITOR);
	plant_count = (int) between(1, 3);
	for (int i = 0; i < plant_count; i++)
		new_plant(&plants[i], plant_ids[(first + i) % (int) COUNT(plant_ids)]);
}

/* As many auditors in each role as the policy asks for, and some more */
static void
relate_all(Plant *plant)
{
	for (int role = 0; role < ROLES; role++)
	{
		int			wanted = policies[0].required[role] + (one_in(3) ? 1 : 0);

		for (int i = 1 + (int) below(2); i < node_count && wanted > 0; i++)
		{
			if ((nodes[i].roles & ROLE_AUDITOR) == 0 || &nodes[i] == plant->node)
				continue;
			relate(plant, &nodes[i], (Role) role);
			wanted--;
		}
	}
}

/* Some plant */
static Plant *
any_plant(void)
{
	return &plants[below((uint64_t) plant_count)];
}

/* Some node, the certifier among them */
static Node *
any_node(void)
{
	return &nodes[below((uint64_t) node_count)];
}

/* Certify some plant for a year or a part of it */
static void
certify_something(void)
{
	Plant	   *plant = any_plant();
	int			first = one_in(3) ? (int) below((uint64_t) plant->months) : 0;

	certify(plant, years_worked > 2 && one_in(3) ? 2 : 1, first, one_in(3) ? (int) between(1, plant->months - first) : plant->months - first);
}

/* Relate some auditor to some plant */
static void
relate_something(void)
{
	Plant	   *plant = any_plant();
	Node	   *auditor = any_node();

	if ((auditor->roles & ROLE_AUDITOR) != 0 && auditor != plant->node)
		relate(plant, auditor, (Role) below(ROLES));
}

/* One thing that may happen at any time */
static void
happen(void)
{
	switch (below(24))
	{
		case 0: case 1: case 2: correct(any_plant()); break;
		case 3: case 4: case 5: audit_something(); break;
		case 6: case 7: case 8: case 9: certify_something(); break;
		case 10: case 11: case 12: set_some_status(); break;
		case 13: case 14: case 15: reward_something(); break;
		case 16: case 17: (void) seal_ledger(); break;
		case 18: case 19: witness_something(); break;
		case 20: if (one_in(2)) change_policy(); break;
		case 21: if (one_in(2)) rotate(any_node()); break;
		case 22: if (one_in(3)) revoke_node(any_node()); else enroll_again(any_node()); break;
		default: relate_something(); break;
	}
}

/* So many things, one after the other */
static void
happen_for(int64_t count)
{
	while (count-- > 0 && made_count < MADE_MAX / 2)
		happen();
}

/* A year of work in all plants */
static void
work_all(int year)
{
	years_worked = year + 1;
	for (int i = 0; i < plant_count; i++)
	{
		for (int month = 0; month < plants[i].months; month++)
		{
			work(&plants[i], year, month);
			if (one_in(12))
				happen();
		}
	}
}

/* The whole history of a ledger */
static void
make_history(void)
{
	found_ledger();
	enroll_all();
	for (int i = 0; i < plant_count; i++)
		relate_all(&plants[i]);
	if (one_in(3))
		(void) seal_ledger();
	work_all(0);
	happen_for(between(0, 6));
	work_all(1);
	happen_for(between(2, 12));
	for (int i = 0; i < plant_count; i++)
		certify(&plants[i], 1, 0, plants[i].months);
	if (one_in(2))
		work_all(2);
	happen_for(between(5, 40));
	if (!one_in(4))
		(void) seal_ledger();
	happen_for(between(0, 5));
}

/* ----- output ----- */

/* Write a number of so many bytes, the high one first */
static void
put_number(FILE *out, uint32_t number, int size)
{
	while (size-- > 0)
		putc((int) (number >> (8 * size) & 255), out);
}

/* Write the rows as COPY ... (FORMAT binary) does */
static void
write_binary(FILE *out)
{
	fwrite("PGCOPY\n\377\r\n", 1, 11, out);
	put_number(out, 0, 4);
	put_number(out, 0, 4);
	for (size_t i = 0; i < row_count; i++)
	{
		put_number(out, 1, 2);
		put_number(out, (uint32_t) rows[i].size, 4);
		fwrite(rows[i].bytes, 1, rows[i].size, out);
	}
	put_number(out, 0xFFFF, 2);
}

/* Write the rows as COPY does, some of them cut off or with a column too many */
static void
write_text(FILE *out)
{
	for (size_t i = 0; i < row_count; i++)
	{
		char	   *hex = hex_of(rows[i].bytes, rows[i].size);

		if (rows[i].cut == 1)
			hex[2 * between(0, (int64_t) rows[i].size / 2)] = '\0';
		fprintf(out, "\\\\x%s%s\n", hex, rows[i].cut == 2 ? "\t1" : "");
		free(hex);
	}
}

/* Write the dump; the exit status */
static int
write_rows(FILE *out)
{
	if (binary)
		write_binary(out);
	else
		write_text(out);
	return fflush(out) == 0 && ferror(out) == 0 ? 0 : 2;
}

/* How much is wrong on this ledger: mostly nothing or little */
static void
plan(uint64_t seed)
{
	chance_begin(seed);
	note("seed %" PRIu64, seed);
	if (!honest)
		plan_lies(one_in(3) ? 0 : (int) between(1, one_in(3) ? 6 : 3));
	for (int i = 0; i < asked_count; i++)
		plan_lie(asked_for[i]);
}

/* Make the ledger of a seed and write its dump; the exit status */
static int
make_ledger(uint64_t seed, FILE *out)
{
	plan(seed);
	make_history();
	take_rows();
	if (!honest && !undamaged)
		damage_rows(binary);
	return write_rows(out);
}

/* Each seed in a process of its own, which begins with nothing but the keys */
static int
make_in_process(uint64_t seed, const char *directory)
{
	pid_t		child = fork();
	int			status;

	if (child == 0)
	{
		char	   *path = text_of("%s/%" PRIu64, directory, seed);
		FILE	   *out = fopen(path, "wb");

		_exit(out == NULL ? 2 : make_ledger(seed, out));
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
	{
		fprintf(stderr, "random-ledger: seed %" PRIu64 " could not be made\n", seed);
		return 2;
	}
	return 0;
}

/* Make the ledgers of a run of seeds, each into its file; the exit status */
static int
make_many(uint64_t first, uint64_t last, const char *directory)
{
	for (uint64_t seed = first; seed <= last; seed++)
	{
		if (make_in_process(seed, directory) != 0)
			return 2;
	}
	return 0;
}

/* Read the command line; false when it is wrong */
static bool
read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{"binary", no_argument, NULL, 'b'}, {"honest", no_argument, NULL, 'h'}, {"no-damage", no_argument, NULL, 'n'},
		{"lie", required_argument, NULL, 'l'}, {"tell", no_argument, NULL, 't'}, {NULL, 0, NULL, 0}
	};
	int			option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
	{
		switch (option)
		{
			case 'b': binary = true; break;
			case 'h': honest = true; break;
			case 'n': undamaged = true; break;
			case 't': telling = true; break;
			case 'l':
				if (asked_count == (int) COUNT(asked_for))
					return false;
				asked_for[asked_count++] = optarg;
				break;
			default: return false;
		}
	}
	return true;
}

/* Make the ledgers that the command line asks for */
int
main(int argc, char **argv)
{
	if (!read_options(argc, argv) || (argc - optind != 1 && argc - optind != 3))
	{
		fputs("usage: random-ledger SEED [options] > DUMP\n       random-ledger FIRST LAST DIRECTORY [options]\n"
			  "       --binary --honest --no-damage --lie NAME --tell\n", stderr);
		return 2;
	}
	load_keys();
	if (argc - optind == 1)
		return make_ledger(strtoull(argv[optind], NULL, 10), stdout);
	return make_many(strtoull(argv[optind], NULL, 10), strtoull(argv[optind + 1], NULL, 10), argv[optind + 2]);
}
