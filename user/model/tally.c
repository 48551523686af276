/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* A record about a sleep has its beginning from the switch itself; this is for rounding. */
#define SAME_SLEEP_NS 100

static bool same_object(const struct pt_slept_on *x, const struct pt_slept_on *y)
{
	return x->object == y->object && x->device == y->device && x->peer == y->peer &&
	       x->address == y->address && x->peer_port == y->peer_port;
}

static bool alike(const struct pt_slept *a, const struct pt_slept *b)
{
	const struct pt_slept_on *x = &a->on, *y = &b->on;

	return a->reason == b->reason && a->syscall == b->syscall && a->waker == b->waker &&
	       a->by_interrupt == b->by_interrupt && x->known == y->known && same_object(x, y);
}

static void merge(struct pt_slept *into, const struct pt_slept *from)
{
	into->ns += from->ns;
	into->count += from->count;
	if (from->longest > into->longest)
		into->longest = from->longest;
}

/* Where to put what has no room of its own. */
static struct pt_slept *nearest(struct pt_tally *tally, const struct pt_slept *slept)
{
	uint32_t i;

	for (i = 0; i < tally->sleep_count; i++) {
		struct pt_slept *s = &tally->sleeps[i];

		if (s->reason == slept->reason && s->syscall == slept->syscall)
			break;
	}
	return &tally->sleeps[i < tally->sleep_count ? i : tally->sleep_count - 1];
}

static int add_slept(struct pt_tally *tally, const struct pt_slept *slept)
{
	struct pt_slept *grown;
	uint32_t i;

	for (i = 0; i < tally->sleep_count; i++) {
		if (alike(&tally->sleeps[i], slept)) {
			merge(&tally->sleeps[i], slept);
			return 0;
		}
	}
	if (tally->sleep_count == PT_TALLY_SLEEPS) {
		merge(nearest(tally, slept), slept);
		return 0;
	}
	grown = pt_array_grow(tally->sleeps, tally->sleep_count, &tally->sleep_room,
			      sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	tally->sleeps = grown;
	grown[tally->sleep_count++] = *slept;
	return 0;
}

/* What is not known is zero already, and large. */
static void forget_object(struct pt_slept *slept)
{
	if (slept->on.known)
		slept->on = (struct pt_slept_on){0};
}

/* Nothing more will be told about the last sleep. */
static int settle(struct pt_tally *tally)
{
	struct pt_slept *slept = &tally->fresh;
	int ret;

	if (!slept->count)
		return 0;
	if (slept->longest < PT_SLEEP_LONG_NS) {
		slept->waker = NULL;
		slept->by_interrupt = false;
		forget_object(slept);
	}
	ret = add_slept(tally, slept);
	slept->count = 0;
	return ret;
}

static bool same_sleep(uint64_t a, uint64_t b)
{
	return a <= b + SAME_SLEEP_NS && b <= a + SAME_SLEEP_NS;
}

static void count_off(struct pt_tally *tally, const struct pt_span *span)
{
	uint64_t ns = span->in_call ? span->to - span->from : 0;

	/* Signals are seen to on the way out of a call, when its end has been noted. */
	if (span->part == PT_PART_BLOCKED && span->reason == PT_REASON_STOPPED) {
		tally->slept = false;
		return;
	}
	if (span->part == PT_PART_BLOCKED || (span->part == PT_PART_RUNNABLE && tally->slept))
		tally->off_asleep += ns;
	else if (span->part == PT_PART_RUNNABLE)
		tally->off_preempted += ns;
	tally->slept = span->part == PT_PART_BLOCKED;
}

int pt_tally_span(struct pt_tally *tally, const struct pt_span *span)
{
	uint64_t ns = span->to - span->from;
	struct pt_slept *fresh = &tally->fresh;
	int ret;

	tally->part[span->part] += ns;
	count_off(tally, span);
	if (span->part != PT_PART_BLOCKED)
		return 0;
	ret = settle(tally);
	tally->fresh_from = span->from;
	fresh->reason = (uint8_t)span->reason;
	fresh->syscall = (int16_t)span->syscall;
	fresh->ns = fresh->longest = ns;
	fresh->count = 1;
	fresh->by_interrupt = span->woken_by_irq;
	fresh->waker = span->woken_by_irq ? NULL : span->waker;
	if (tally->told_from && same_sleep(tally->told_from, span->from) &&
	    tally->told_syscall == span->syscall)
		fresh->on = tally->told;
	else
		forget_object(fresh);
	tally->told_from = 0;
	return ret;
}

static int add_taker(struct pt_tally *tally, const struct pt_model_task *task, uint64_t ns)
{
	struct pt_taker *grown;
	uint32_t i;

	for (i = 0; i < tally->taker_count; i++) {
		if (tally->takers[i].task == task)
			break;
	}
	if (i == PT_TALLY_TAKERS)
		i--;
	if (i < tally->taker_count) {
		tally->takers[i].ns += ns;
		return 0;
	}
	grown = pt_array_grow(tally->takers, tally->taker_count, &tally->taker_room,
			      sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	tally->takers = grown;
	grown[tally->taker_count++] = (struct pt_taker){task, ns};
	return 0;
}

int pt_tally_wait(struct pt_tally *tally, const struct pt_wait *wait)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < wait->piece_count; i++)
		ret = add_taker(tally, wait->pieces[i].task, wait->pieces[i].ns);
	return ret;
}

void pt_tally_sample(struct pt_tally *tally, const struct pt_sampled *sampled)
{
	uint32_t i;

	for (i = 0; i < tally->sample_count; i++) {
		if (tally->samples[i].syscall == sampled->syscall &&
		    tally->samples[i].user == sampled->user)
			break;
	}
	if (i == PT_TALLY_SAMPLES)
		i--;
	if (i < tally->sample_count)
		tally->samples[i].ns += sampled->ns;
	else
		tally->samples[tally->sample_count++] = *sampled;
}

void pt_tally_child(struct pt_tally *tally, const struct pt_model_task *child)
{
	if (tally->child_count < PT_TALLY_CHILDREN)
		tally->children[tally->child_count] = child;
	tally->child_count++;
}

int pt_tally_add(struct pt_tally *into, struct pt_tally *from)
{
	uint32_t i;
	int ret = settle(from);

	if (!ret)
		ret = settle(into);
	for (i = 0; i < PT_PART_COUNT; i++)
		into->part[i] += from->part[i];
	into->off_asleep += from->off_asleep;
	into->off_preempted += from->off_preempted;
	for (i = 0; i < from->sample_count; i++)
		pt_tally_sample(into, &from->samples[i]);
	for (i = 0; i < from->child_count && i < PT_TALLY_CHILDREN; i++)
		pt_tally_child(into, from->children[i]);
	if (from->child_count > PT_TALLY_CHILDREN)
		into->child_count += from->child_count - PT_TALLY_CHILDREN;
	for (i = 0; !ret && i < from->sleep_count; i++)
		ret = add_slept(into, &from->sleeps[i]);
	for (i = 0; !ret && i < from->taker_count; i++)
		ret = add_taker(into, from->takers[i].task, from->takers[i].ns);
	return ret;
}

int pt_tally_copy(struct pt_tally *to, struct pt_tally *from)
{
	int ret;

	*to = (struct pt_tally){0};
	ret = pt_tally_add(to, from);
	if (ret)
		pt_tally_free(to);
	return ret;
}

void pt_tally_explain(struct pt_tally *tally, const struct pt_record *sleep)
{
	const struct pt_sleep *s = sleep->row;
	uint64_t from = s->length < s->time ? s->time - s->length : 0;
	size_t length = sleep->text_len, cut;
	struct pt_slept_on *on = &tally->told;

	if (tally->fresh.count && same_sleep(from, tally->fresh_from)) {
		/* Outside of calls it is told at the end of the next one, and of that one's object. */
		if (tally->fresh.syscall != s->syscall)
			return;
		on = &tally->fresh.on;
	} else {
		tally->told_from = from;
		tally->told_syscall = s->syscall;
	}
	*on = (struct pt_slept_on){
		.object = s->object,
		.device = s->device,
		.peer = s->peer,
		.address = s->address,
		.fd = s->fd,
		.local_port = s->local_port,
		.peer_port = s->peer_port,
		.known = true,
	};
	cut = length >= sizeof(on->path) ? length - sizeof(on->path) + 1 : 0;
	if (length)
		memcpy(on->path, sleep->text + cut, length - cut);
}

/* What all told sleeps were on that are like this one; NULL: on several things, or none was told. */
static const struct pt_slept_on *common_object(const struct pt_tally *tally,
					       const struct pt_slept *like)
{
	const struct pt_slept_on *on = NULL;
	uint32_t i;

	for (i = 0; i < tally->sleep_count; i++) {
		const struct pt_slept *s = &tally->sleeps[i];

		if (!s->on.known || s->reason != like->reason || s->syscall != like->syscall)
			continue;
		if (on && !same_object(on, &s->on))
			return NULL;
		on = &s->on;
	}
	return on;
}

void pt_tally_share_objects(struct pt_tally *tally)
{
	struct pt_slept slept;
	uint32_t i = tally->sleep_count;

	while (i-- > 0) {
		const struct pt_slept_on *on = common_object(tally, &tally->sleeps[i]);

		slept = tally->sleeps[i];
		if (slept.on.known || slept.longest < PT_SLEEP_LONG_NS || !on)
			continue;
		slept.on = *on;
		tally->sleeps[i] = tally->sleeps[--tally->sleep_count];
		(void)add_slept(tally, &slept); /* there is room */
	}
}

void pt_tally_empty(struct pt_tally *tally)
{
	size_t i;

	for (i = 0; i < PT_PART_COUNT; i++)
		tally->part[i] = 0;
	tally->off_asleep = tally->off_preempted = 0;
	tally->told_from = 0;
	tally->slept = false;
	tally->sleep_count = tally->taker_count = 0;
	tally->sample_count = tally->child_count = 0;
	tally->fresh.count = 0;
}

void pt_tally_free(struct pt_tally *tally)
{
	free(tally->sleeps);
	free(tally->takers);
	*tally = (struct pt_tally){0};
}
