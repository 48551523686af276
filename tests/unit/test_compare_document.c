/* SPDX-License-Identifier: BSD-2-Clause */
/* From report documents to the comparison: scenes, groups, figures, differences, beliefs, hostile figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/types.h"
#include "compare/compare.h"

#define DOCUMENTS 12

/* Documents, what is made of them, and how many there are. */
struct bench {
	json_t *documents[DOCUMENTS];
	size_t count;
	json_t *comparison;
};

/* One main loop with 1 s of CPU and 100 switches, two workers in processes 20 and 21, a client in 30. */
static const char document_text[] =
	"{\"trace\": {\"host\": \"box\", \"kernel\": \"6\", \"cpus\": 2, \"complete\": true, "
	"\"lost\": {},"
	" \"duration_ns\": 9000000000, \"command\": [\"x\"]},"
	" \"tasks\": ["
	"{\"tid\": 10, \"pid\": 10, \"ppid\": 1, \"on_cpu_ns\": 1000000000, \"exit_signal\": 0,"
	" \"switches\": {\"voluntary\": 60, \"involuntary\": 40}, \"state_ns\": {\"runnable\": 0}},"
	"{\"tid\": 20, \"pid\": 20, \"ppid\": 10, \"on_cpu_ns\": 2000000000, \"exit_signal\": 0,"
	" \"switches\": {\"voluntary\": 50, \"involuntary\": 0}, \"state_ns\": {\"runnable\": 0}},"
	"{\"tid\": 21, \"pid\": 21, \"ppid\": 10, \"on_cpu_ns\": 1000000000, \"exit_signal\": 0,"
	" \"switches\": {\"voluntary\": 50, \"involuntary\": 0}, \"state_ns\": {\"runnable\": 0}},"
	"{\"tid\": 30, \"pid\": 30, \"ppid\": 10, \"on_cpu_ns\": 7000000000, \"exit_signal\": 0,"
	" \"switches\": {\"voluntary\": 999, \"involuntary\": 0}, \"state_ns\": {\"runnable\": 0}},"
	"{\"tid\": 99, \"pid\": 99, \"ppid\": 1, \"on_cpu_ns\": 5000000000, \"exit_signal\": 0,"
	" \"switches\": {\"voluntary\": 999, \"involuntary\": 0}, \"state_ns\": {\"runnable\": "
	"0}}],"
	" \"loops\": ["
	"{\"tid\": 10, \"pid\": 10, \"nested\": false, \"utilization\": 0.5, \"stalls\": 3,"
	" \"delay_ns\": {\"p99\": 7000, \"max\": 9000}},"
	"{\"tid\": 10, \"pid\": 10, \"nested\": true, \"utilization\": 0.9, \"stalls\": 50,"
	" \"delay_ns\": {\"p99\": 70000, \"max\": 90000}},"
	"{\"tid\": 20, \"pid\": 20, \"nested\": false, \"utilization\": 0.25, \"stalls\": 1,"
	" \"delay_ns\": {\"p99\": 100, \"max\": 200}},"
	"{\"tid\": 21, \"pid\": 21, \"nested\": false, \"utilization\": 0.75, \"stalls\": 1,"
	" \"delay_ns\": {\"p99\": 300, \"max\": 400}}],"
	" \"ipc\": {\"flows\": ["
	"{\"from\": {\"pid\": 10, \"tid\": 10}, \"to\": {\"pid\": 20, \"tid\": 20}, \"bytes\": "
	"1000,"
	" \"messages\": 10, \"latency_ns\": {\"p50\": 5, \"p99\": 50}},"
	"{\"from\": {\"pid\": 20, \"tid\": 20}, \"to\": {\"pid\": 20, \"tid\": 20}, \"bytes\": 8,"
	" \"messages\": 1, \"latency_ns\": {\"p50\": 500, \"p99\": 500}},"
	"{\"from\": {\"pid\": 30, \"tid\": 30}, \"to\": {\"pid\": 20, \"tid\": 20}, \"bytes\": "
	"77777,"
	" \"messages\": 7, \"latency_ns\": {\"p50\": 5, \"p99\": 50}}]},"
	" \"balance\": [{\"port\": 80, \"workers\": [{\"pid\": 20, \"accepted\": 1, "
	"\"handed_over\": 2},"
	" {\"pid\": 21, \"accepted\": 4, \"handed_over\": 2}]}],"
	" \"memory\": {\"processes\": ["
	"{\"pid\": 10, \"rss_bytes\": 100, \"pss_bytes\": 60, \"uss_bytes\": 40, "
	"\"page_tables_bytes\": 1},"
	"{\"pid\": 20, \"rss_bytes\": 100, \"pss_bytes\": 70, \"uss_bytes\": 50, "
	"\"page_tables_bytes\": 1},"
	"{\"pid\": 21, \"rss_bytes\": 100, \"pss_bytes\": null, \"uss_bytes\": null}]},"
	" \"workloads\": [{\"model\": \"process\", \"kind\": \"http\", \"runtime\": \"native\","
	" \"options\": {\"mode\": \"offload\"}, \"pid\": 10, \"tid\": 10, \"start_ns\": 5, "
	"\"end_ns\": 2000000005,"
	" \"work\": {\"units\": 50}, \"workers\": ["
	"{\"role\": \"worker\", \"pid\": 20, \"tid\": 20, \"startup_ns\": 10},"
	"{\"role\": \"worker\", \"pid\": 21, \"tid\": 21, \"startup_ns\": 30},"
	"{\"role\": \"helper\", \"client\": {}, \"pid\": 30, \"tid\": 30, \"startup_ns\": 500}]}]}";

static json_t *add_document(struct bench *bench, const char *model)
{
	json_t *document = json_loads(document_text, 0, NULL);
	json_t *claims = json_array_get(json_object_get(document, "workloads"), 0);

	assert_non_null(claims);
	json_object_set_new(claims, "model", json_string(model));
	if (!strcmp(model, "cluster"))
		json_object_set_new(json_object_get(claims, "options"), "mode",
				    json_string("handed"));
	bench->documents[bench->count++] = document;
	return claims;
}

static json_t *compare(struct bench *bench)
{
	struct pt_comparison comparison;
	struct pt_scenes scenes = {0};
	size_t i;

	for (i = 0; i < bench->count; i++)
		assert_int_equal(pt_scenes_add(&scenes, bench->documents[i], "file"), 0);
	assert_int_equal(pt_comparison_make(&comparison, &scenes), 0);
	bench->comparison = pt_comparison_json(&comparison);
	pt_comparison_clear(&comparison);
	pt_scenes_clear(&scenes);
	assert_non_null(bench->comparison);
	return bench->comparison;
}

static void release(struct bench *bench)
{
	size_t i;

	for (i = 0; i < bench->count; i++)
		json_decref(bench->documents[i]);
	json_decref(bench->comparison);
}

static const json_t *table_of(const struct bench *bench, size_t index)
{
	return json_array_get(json_object_get(bench->comparison, "tables"), index);
}

/* The median of a measure in a column of the first table; -1: not recorded. */
static double figure(const struct bench *bench, const char *key, size_t column)
{
	const json_t *rows = json_object_get(table_of(bench, 0), "rows");
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const json_t *value = json_array_get(json_object_get(row, "values"), column);

		if (!strcmp(json_string_value(json_object_get(row, "key")), key) &&
		    json_is_object(value))
			return json_number_value(json_object_get(value, "median"));
	}
	return -1;
}

static const json_t *difference(const struct bench *bench, const char *key)
{
	const json_t *list = json_object_get(table_of(bench, 0), "differences");
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (!strcmp(json_string_value(json_object_get(one, "key")), key))
			return one;
	}
	return NULL;
}

static void test_figures_of_one_scene(void **state)
{
	static const struct {
		const char *key;
		double value;
	} expected[] = {
		{"main_delay_p99_ns", 7000},
		{"main_stalls", 3},
		{"main_utilization", 0.5},
		{"worker_loops", 2},
		{"worker_delay_p99_ns", 300},
		{"worker_utilization", 0.5},
		{"units_per_second", 25},
		{"cpu_ns_per_unit", 80e6},
		{"cpus_used", 2},
		{"switches_per_second", 100},
		{"switches_per_unit", 4},
		{"involuntary_share", 0.2},
		{"ipc_bytes", 1000},
		{"ipc_bytes_per_unit", 20},
		{"ipc_messages", 10},
		{"ipc_latency_p99_ns", 50},
		{"memory_bytes", 130},
		{"worker_uss_bytes", 50},
		{"startup_ns", 20},
		{"connections_even", 0.5},
		{"cpu_even", 0.5},
		{"units_lost", -1},
	};
	struct bench bench = {0};
	size_t i;

	(void)state;
	add_document(&bench, "process");
	compare(&bench);
	for (i = 0; i < PT_ARRAY_SIZE(expected); i++) {
		double got = figure(&bench, expected[i].key, 0);

		assert_float_equal(got, expected[i].value, 1e-6 * (1 + expected[i].value));
	}
	release(&bench);
}

static void test_what_is_missing_is_not_recorded(void **state)
{
	struct bench bench = {0};
	const json_t *missing;

	(void)state;
	add_document(&bench, "process");
	json_object_del(bench.documents[0], "loops");
	json_object_del(bench.documents[0], "ipc");
	json_object_del(bench.documents[0], "balance");
	json_object_del(bench.documents[0], "memory");
	compare(&bench);
	assert_true(figure(&bench, "main_delay_p99_ns", 0) == -1);
	assert_true(figure(&bench, "ipc_bytes", 0) == -1);
	assert_true(figure(&bench, "memory_bytes", 0) == -1);
	assert_true(figure(&bench, "switches_per_unit", 0) == 4);
	missing = json_object_get(table_of(&bench, 0), "not_recorded");
	assert_true(json_array_size(missing) > 10);
	release(&bench);
}

static void test_runs_of_the_same_are_one_column(void **state)
{
	static const json_int_t units[] = {50, 52, 48, 100, 101, 99};
	struct bench bench = {0};
	const json_t *columns, *one;
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		json_t *claims = add_document(&bench, i < 3 ? "process" : "thread");

		json_object_set_new(json_object_get(claims, "work"), "units",
				    json_integer(units[i]));
	}
	compare(&bench);
	columns = json_object_get(table_of(&bench, 0), "columns");
	assert_int_equal(json_array_size(columns), 2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(columns, 1), "runs")),
			 3);
	assert_true(figure(&bench, "units_per_second", 0) == 25);
	one = difference(&bench, "units_per_second");
	assert_true(json_is_true(json_object_get(one, "larger")));
	assert_true(json_number_value(json_object_get(one, "uncertainty")) > 0);
	assert_non_null(strstr(json_string_value(json_object_get(one, "text")), "thread"));
	one = difference(&bench, "memory_bytes");
	assert_false(json_is_true(json_object_get(one, "larger")));
	assert_true(json_is_null(json_object_get(one, "text")));
	release(&bench);
}

static void test_other_options_are_another_column(void **state)
{
	struct bench bench = {0};
	json_t *claims;

	(void)state;
	add_document(&bench, "process");
	claims = add_document(&bench, "process");
	json_object_set_new(json_object_get(claims, "options"), "count", json_integer(7));
	claims = add_document(&bench, "process");
	json_object_set_new(claims, "kind", json_string("cpu"));
	compare(&bench);
	assert_int_equal(json_array_size(json_object_get(table_of(&bench, 0), "columns")), 2);
	assert_int_equal(json_array_size(json_object_get(table_of(&bench, 1), "columns")), 1);
	assert_null(table_of(&bench, 2));
	release(&bench);
}

static void test_one_run_each_has_no_uncertainty(void **state)
{
	struct bench bench = {0};
	const json_t *one;

	(void)state;
	add_document(&bench, "process");
	add_document(&bench, "thread");
	compare(&bench);
	one = difference(&bench, "memory_bytes");
	assert_true(json_is_null(json_object_get(one, "uncertainty")));
	assert_false(json_is_true(json_object_get(one, "larger")));
	release(&bench);
}

/* The second round takes more, but does not tell of one worker; the third was after its end. */
static void test_rounds_that_lack_a_worker_do_not_count(void **state)
{
	static const char series[] =
		"[{\"pid\": 10, \"points\": [{\"at_ns\": 1000000000, \"pss_bytes\": 1},"
		" {\"at_ns\": 2000000000, \"pss_bytes\": 100}, {\"at_ns\": 3000000000, "
		"\"pss_bytes\": 1000}]},"
		" {\"pid\": 20, \"points\": [{\"at_ns\": 1050000000, \"pss_bytes\": 2},"
		" {\"at_ns\": 1990000000, \"pss_bytes\": 200}]},"
		" {\"pid\": 21, \"points\": [{\"at_ns\": 950000000, \"pss_bytes\": 4}]}]";
	struct bench bench = {0};
	json_t *memory, *task;

	(void)state;
	add_document(&bench, "process");
	memory = json_object_get(bench.documents[0], "memory");
	json_object_set_new(memory, "series", json_loads(series, 0, NULL));
	task = json_array_get(json_object_get(bench.documents[0], "tasks"), 2);
	json_object_set_new(task, "end_ns", json_integer(2500000000));
	compare(&bench);
	assert_true(figure(&bench, "memory_bytes", 0) == 7);
	json_decref(bench.comparison);
	json_array_remove(json_object_get(memory, "series"), 2);
	compare(&bench);
	assert_true(figure(&bench, "memory_bytes", 0) == -1);
	release(&bench);
}

static void test_what_others_took_is_not_what_it_took_itself(void **state)
{
	static const char by[] = "[{\"tid\": 20, \"pid\": 20, \"ns\": 5000000000},"
				 " {\"tid\": 99, \"pid\": 99, \"ns\": 1000000000},"
				 " {\"tid\": 0, \"pid\": 0, \"ns\": 7000000000},"
				 " {\"tid\": null, \"pid\": null, \"ns\": 9000000000}]";
	struct bench bench = {0};

	(void)state;
	add_document(&bench, "process");
	json_object_set_new(json_array_get(json_object_get(bench.documents[0], "tasks"), 0),
			    "waited_for", json_loads(by, 0, NULL));
	compare(&bench);
	assert_float_equal(figure(&bench, "cpus_taken", 0), 0.5, 1e-9);
	release(&bench);
}

/* Messages through shared memory are other work than messages that are sent. */
static void test_what_messages_go_through_is_told_apart(void **state)
{
	static const char *const vias[] = {"message", "shared"};
	struct bench bench = {0};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		json_t *claims = add_document(&bench, "thread");

		json_object_set_new(claims, "kind", json_string("message"));
		json_object_set_new(claims, "options",
				    json_pack("{s:s, s:s}", "mode", "burst", "via", vias[i]));
	}
	compare(&bench);
	assert_string_equal(json_string_value(json_object_get(table_of(&bench, 0), "title")),
			    "message, burst");
	assert_string_equal(json_string_value(json_object_get(table_of(&bench, 1), "title")),
			    "message, burst via shared");
	release(&bench);
}

static void test_recordings_of_anything(void **state)
{
	struct bench bench = {0};

	(void)state;
	add_document(&bench, "process");
	json_object_del(bench.documents[0], "workloads");
	compare(&bench);
	assert_string_equal(json_string_value(json_object_get(table_of(&bench, 0), "title")),
			    "recordings");
	assert_true(figure(&bench, "main_delay_p99_ns", 0) == 7000);
	assert_true(figure(&bench, "units_per_second", 0) == -1);
	assert_int_equal(json_array_size(json_object_get(bench.comparison, "beliefs")), 0);
	release(&bench);
}

static const char *verdict(const struct bench *bench, const char *start)
{
	const json_t *list = json_object_get(bench->comparison, "beliefs");
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (!strncmp(json_string_value(json_object_get(one, "belief")), start,
			     strlen(start)))
			return json_string_value(json_object_get(one, "verdict"));
	}
	return "no such belief";
}

static void test_beliefs_follow_the_figures(void **state)
{
	static const char *const models[] = {"thread", "process", "cluster"};
	json_t *switches;
	struct bench bench = {0};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		add_document(&bench, models[i]);
		switches = json_object_get(
			json_array_get(json_object_get(bench.documents[i], "tasks"), 0),
			"switches");
		json_object_set_new(switches, "voluntary", json_integer(i == 2 ? 6000 : 60));
	}
	compare(&bench);
	assert_string_equal(verdict(&bench, "A cluster switches"), "holds");
	assert_string_equal(verdict(&bench, "A worker leaves"), "not measured");
	json_decref(bench.comparison);
	json_object_set_new(switches, "voluntary", json_integer(60));
	compare(&bench);
	assert_string_equal(verdict(&bench, "A cluster switches"), "not on this machine");
	release(&bench);
}

static void test_runs_too_far_apart_settle_nothing(void **state)
{
	static const char *const models[] = {"thread", "process", "cluster"};
	static const json_int_t counts[] = {60, 9000};
	struct bench bench = {0};
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		json_t *tasks;

		add_document(&bench, models[i % 3]);
		tasks = json_object_get(bench.documents[i], "tasks");
		json_object_set_new(json_object_get(json_array_get(tasks, 0), "switches"),
				    "voluntary", json_integer(counts[i / 3] + (i % 3 == 2)));
	}
	compare(&bench);
	assert_string_equal(verdict(&bench, "A cluster switches"), "not sure");
	release(&bench);
}

/* Whatever stands where in a crafted file: a comparison, or none of the figure, never nonsense. */
static void test_hostile_documents(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"workloads\": 5, \"trace\": [], \"tasks\": {}, \"loops\": \"\", \"memory\": []}",
		"{\"workloads\": [5, {}, {\"kind\": 7, \"workers\": {}, \"options\": []}]}",
		"{\"tasks\": [1, null, {\"pid\": -1, \"tid\": 1e300, \"on_cpu_ns\": 1e308},"
		" {\"pid\": 4294967295, \"tid\": 4294967295, \"on_cpu_ns\": -5}]}",
		"{\"workloads\": [{\"kind\": \"\\u001b[2J\", \"model\": \"x\", \"start_ns\": 9, "
		"\"end_ns\": 10,"
		" \"work\": {\"units\": 1e308}, \"crash\": {\"units_asked\": 1e-308, "
		"\"units_lost\": 1e308}}]}",
		"{\"balance\": [{\"workers\": [{\"pid\": 0}]}, 7], \"ipc\": {\"flows\": [[], "
		"{\"from\": 5}]}}",
	};
	struct bench bench = {0};
	char *text = NULL;
	size_t i, size;
	FILE *out = open_memstream(&text, &size);
	struct pt_text_style style = {.width = 40};

	(void)state;
	for (i = 0; i < PT_ARRAY_SIZE(texts); i++) {
		bench.documents[bench.count] = json_loads(texts[i], 0, NULL);
		assert_non_null(bench.documents[bench.count++]);
	}
	compare(&bench);
	assert_int_equal(pt_comparison_render(out, bench.comparison, &style), 0);
	fclose(out);
	assert_null(strchr(text, '\033'));
	free(text);
	release(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures_of_one_scene),
		cmocka_unit_test(test_what_is_missing_is_not_recorded),
		cmocka_unit_test(test_runs_of_the_same_are_one_column),
		cmocka_unit_test(test_other_options_are_another_column),
		cmocka_unit_test(test_one_run_each_has_no_uncertainty),
		cmocka_unit_test(test_rounds_that_lack_a_worker_do_not_count),
		cmocka_unit_test(test_what_others_took_is_not_what_it_took_itself),
		cmocka_unit_test(test_what_messages_go_through_is_told_apart),
		cmocka_unit_test(test_recordings_of_anything),
		cmocka_unit_test(test_beliefs_follow_the_figures),
		cmocka_unit_test(test_runs_too_far_apart_settle_nothing),
		cmocka_unit_test(test_hostile_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
