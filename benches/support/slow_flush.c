/*
 * A disk whose flush takes time.
 *
 * On many virtual disks fsync returns almost at once, so a commit costs next to nothing and group
 * commit shows little. On the disks that keep money it takes about a millisecond. This library,
 * loaded before the others (LD_PRELOAD), lets every fsync and fdatasync wait for
 * COUNTERFOIL_FLUSH_DELAY_US microseconds before it does its work; unset or 0 changes nothing.
 *
 * sync_file_range is left alone: it only starts writing and promises nothing. SQLite and
 * PostgreSQL (with its default wal_sync_method on Linux) make commits durable by fdatasync.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

typedef int flush_function(int file);

static struct timespec delay;

__attribute__((constructor)) static void read_delay(void)
{
	const char *text = getenv("COUNTERFOIL_FLUSH_DELAY_US");
	long microseconds = text ? strtol(text, NULL, 10) : 0;

	if (microseconds > 0) {
		delay.tv_sec = microseconds / 1000000;
		delay.tv_nsec = microseconds % 1000000 * 1000;
	}
}

static int flush_slowly(const char *name, int file)
{
	flush_function *real = (flush_function *)dlsym(RTLD_NEXT, name);
	struct timespec left = delay;

	if (!real) {
		errno = ENOSYS;
		return -1;
	}
	/* Without this the kernel adds 50 microseconds of slack to each wait. */
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	while ((left.tv_sec || left.tv_nsec) && nanosleep(&left, &left) == -1 && errno == EINTR)
		;
	return real(file);
}

int fsync(int file)
{
	return flush_slowly("fsync", file);
}

int fdatasync(int file)
{
	return flush_slowly("fdatasync", file);
}
