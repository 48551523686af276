/* SPDX-License-Identifier: BSD-2-Clause */
/* The other sides of TCP connections: lines of the kernel's tables, and what is looked for at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/peers_inet.h"

#define REST " 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000 100 0 0 10 0"

static void lines_are_parsed(void **state)
{
	struct pt_inet_side side;

	(void)state;
	assert_true(pt_inet_parse("   3: 0100007F:1CDF 0200007F:0050" REST, &side));
	assert_int_equal(side.local[0], 0);
	assert_int_equal(side.local[1], 0x7f000001);
	assert_int_equal(side.local_port, 0x1cdf);
	assert_int_equal(side.remote[1], 0x7f000002);
	assert_int_equal(side.remote_port, 80);
	assert_int_equal(side.end, 4711);
	assert_true(pt_inet_parse("  10: 0000000000000000FFFF00000100007F:1CDF "
				  "00000000000000000000000001000000:0050" REST,
				  &side));
	assert_int_equal(side.local[0], 0);
	assert_int_equal(side.local[1], 0x7f000001); /* IPv4 in IPv6 */
	assert_int_equal(side.remote[1], 1);	     /* ::1 */
}

static void nonsense_is_no_line(void **state)
{
	static const char *const lines[] = {
		"",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
		"   3: 0100007F:1CDF",
		"   3: 0100007F:1CDF 0200007F:0050 01",
		"   3: 0100007:1CDF 0200007F:0050" REST,
		"   3: 0100007F:11CDF 0200007F:0050" REST,
		"   3: 0100007F:1CDF 0200007F:0050 01 0:0 0:0 0 0 0 0 1",
	};
	struct pt_inet_side side;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_false(pt_inet_parse(lines[i], &side));
}

static struct pt_endpoint connection(uint64_t end, uint16_t local, uint16_t remote)
{
	return (struct pt_endpoint){.end = end,
				    .local_low = 0x7f000001,
				    .peer_low = 0x7f000001,
				    .local_port = local,
				    .peer_port = remote,
				    .network = 1};
}

static void nobody_looks_for_a_side_that_targets_have(void **state)
{
	struct pt_inet_peers *peers = calloc(1, sizeof(*peers));
	struct pt_endpoint a = connection(1, 80, 9000), b = connection(2, 9000, 80);
	struct pt_endpoint c = connection(3, 80, 9001);

	(void)state;
	assert_non_null(peers);
	pt_inet_note(peers, &a);
	assert_int_equal(peers->count, 1);
	pt_inet_note(peers, &a);
	assert_int_equal(peers->count, 1);
	pt_inet_note(peers, &c);
	assert_int_equal(peers->count, 2);
	pt_inet_note(peers, &b);
	assert_int_equal(peers->count, 1);
	free(peers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_parsed),
		cmocka_unit_test(nonsense_is_no_line),
		cmocka_unit_test(nobody_looks_for_a_side_that_targets_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
