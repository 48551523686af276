/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors that went through a channel. */
#include <sys/sysmacros.h>

#include "model/passed.h"
#include "view/ipc_parts.h"

static const char *const names[PT_PASSED_KINDS] = {
#define S(value, name, text) [value] = text,
	PT_PASSED(S)
#undef S
};

static const char *kind_name(int kind)
{
	if (kind == PT_CHANNEL_NONE)
		return "other";
	return kind < PT_CHANNEL_COUNT ? pt_ipc_kind_name(kind) : names[kind];
}

/* By kind; of what both sides were seen to do, the one that saw more of it. */
static json_t *kinds_json(const struct pt_passed *passed)
{
	json_t *json = json_object();
	int kind, ret = json ? 0 : -1;

	for (kind = 0; !ret && kind < PT_PASSED_KINDS; kind++) {
		const struct pt_passed_counts *counts = &passed->kinds[kind];
		uint64_t n = counts->sent > counts->received ? counts->sent : counts->received;

		if (n && kind_name(kind))
			ret = pt_json_put(json, kind_name(kind), pt_json_int(n));
	}
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

static int put_counts(json_t *json, const struct pt_passed_counts *counts)
{
	int ret = pt_json_put(json, "sent", pt_json_int(counts->sent));

	ret |= pt_json_put(json, "received", pt_json_int(counts->received));
	return ret | pt_json_put(json, "peeked", pt_json_int(counts->peeked));
}

/* Who passed it on, and who got it. */
static json_t *tasks_json(const struct pt_passed_thing *thing)
{
	json_t *list = json_array();
	size_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < thing->by_count; i++) {
		json_t *who = pt_json_who(thing->by[i].task);

		ret = put_counts(who, &thing->by[i].counts) | json_array_append_new(list, who);
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

/* The channel that it is an end of, or if it is memory the one that it carries; NULL: none. */
static const struct pt_channel *channel_of(const struct pt_channels *channels,
					   const struct pt_passed_thing *thing)
{
	uint32_t device = (uint32_t)makedev(thing->device >> 20, thing->device & 0xfffff);
	uint64_t end = thing->object ? thing->object
				     : PT_ENDPOINT_OF_FILE(PT_CLASS_SHARED, device, thing->inode);
	unsigned int side;

	return pt_channel_find(channels, end, &side);
}

static json_t *thing_json(const struct pt_channels *channels, const struct pt_passed_thing *thing)
{
	const struct pt_channel *channel = channel_of(channels, thing);
	json_t *json = json_object();
	int ret = pt_json_put(json, "kind", pt_json_text(kind_name(thing->kind)));

	ret |= pt_json_put(json, "channel", channel ? pt_json_int(channel->index) : json_null());
	ret |= pt_json_put(json, "inode",
			   pt_json_int(thing->object ? PT_NUMBER_OF(thing->object) : thing->inode));
	ret |= pt_json_put(json, "name",
			   thing->name ? pt_json_text(thing->name)
			   : channel   ? pt_ipc_name(channel)
				       : json_null());
	if (thing->port)
		ret |= pt_json_put(json, "port", pt_json_int(thing->port));
	ret |= pt_json_put(json, "listens",
			   json_boolean(channel && channel->flags & PT_ENDPOINT_LISTENS));
	ret |= pt_json_put(json, "reads", json_boolean(thing->flags & PT_PASS_READS));
	ret |= pt_json_put(json, "writes", json_boolean(thing->flags & PT_PASS_WRITES));
	ret |= put_counts(json, &thing->counts);
	ret |= pt_json_put(json, "tasks", tasks_json(thing));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

static json_t *things_json(const struct pt_channels *channels, const struct pt_passed *passed)
{
	json_t *list = json_array();
	size_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < passed->thing_count; i++)
		ret = json_array_append_new(list, thing_json(channels, &passed->things[i]));
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

int pt_ipc_put_passed(json_t *json, const struct pt_channels *channels,
		      const struct pt_passed *passed)
{
	json_t *omitted = json_object();
	int ret = omitted ? put_counts(omitted, &passed->unnamed) : -1;

	ret |= pt_json_put(json, "passed", kinds_json(passed));
	ret |= pt_json_put(json, "descriptors", things_json(channels, passed));
	return ret | pt_json_put(json, "descriptors_omitted", omitted);
}
