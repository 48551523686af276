// SPDX-License-Identifier: BSD-2-Clause
// The computation and the clock of all workloads. The computation equals the native one.
'use strict';

const fs = require('fs');
const { performance } = require('perf_hooks');

const FNV_BASIS = 2166136261 | 0;
const FNV_PRIME = 16777619;

// The index of the member that a cluster worker is: all of them have the same arguments.
const MEMBER_ENV = 'PARTRACE_WORKLOAD_MEMBER';

class UsageError extends Error {}

// CLOCK_MONOTONIC. A double holds it to the nanosecond for the first 104 days after boot.
function now() {
	return Number(process.hrtime.bigint());
}

function streamStart(seed) {
	let x = Math.imul(seed, 2654435769);

	x ^= x >>> 16;
	x = Math.imul(x, 2246822507);
	x ^= x >>> 13;
	return x ? x : 1;
}

function compute(seed, bytes) {
	const steps = Math.floor(bytes / 4);
	let x = streamStart(seed);
	let hash = FNV_BASIS;

	for (let i = 0; i < steps; i++) {
		x ^= x << 13;
		x ^= x >>> 17;
		x ^= x << 5;
		hash = Math.imul(hash ^ x, FNV_PRIME);
	}
	return hash >>> 0;
}

function fill(seed, bytes) {
	let x = streamStart(seed);

	for (let i = 0; i < bytes.length; i++) {
		x ^= x << 13;
		x ^= x >>> 17;
		x ^= x << 5;
		bytes[i] = 97 + (x & 15);
	}
	return bytes;
}

function hash(bytes) {
	let result = FNV_BASIS;

	for (let i = 0; i < bytes.length; i++)
		result = Math.imul(result ^ bytes[i], FNV_PRIME);
	return result >>> 0;
}

function add(a, b) {
	return (a + b) >>> 0;
}

function hex(value) {
	return value.toString(16).padStart(8, '0');
}

// The task that runs this: synchronous file calls run on the calling thread.
function tid() {
	return Number(fs.readlinkSync('/proc/thread-self').split('/').pop());
}

// One task with its loop, and how it was stalled on purpose.
class Seat {
	constructor() {
		this.pid = process.pid;
		this.tid = tid();
		this.stalls = [];
	}

	stalled(start, what) {
		this.stalls.push({
			pid: this.pid, tid: this.tid, start_ns: start, duration_ns: now() - start, what,
		});
	}

	// Blocks the loop in a turn of its own, so that the stall is what is done and nothing besides:
	// the message that asked for it was read in an earlier turn, `then` comes in a later one.
	block(what, work, then) {
		setImmediate(setImmediate, () => {
			const start = now();
			const result = work();

			this.stalled(start, what);
			setImmediate(then, result);
		});
	}

	loop() {
		const elu = performance.eventLoopUtilization();
		const end = now();

		return {
			pid: this.pid, tid: this.tid, comm: 'node',
			start_ns: Math.round(end - (elu.idle + elu.active) * 1e6), end_ns: end,
			idle_ns: Math.round(elu.idle * 1e6), utilization: elu.utilization,
		};
	}
}

function rollup() {
	const text = fs.readFileSync('/proc/self/smaps_rollup', 'latin1');
	const kib = (name) => Number(new RegExp(`^${name}: *(\\d+)`, 'm').exec(text)[1]);

	return {
		rss_bytes: kib('Rss') * 1024,
		pss_bytes: kib('Pss') * 1024,
		uss_bytes: (kib('Private_Clean') + kib('Private_Dirty')) * 1024,
	};
}

// Anonymous memory of this process, in bytes.
function ownMemory() {
	return Number(/^RssAnon:\s*(\d+)/m.exec(fs.readFileSync('/proc/self/status', 'latin1'))[1]) * 1024;
}

module.exports = { MEMBER_ENV, UsageError, now, compute, fill, hash, add, hex, Seat, rollup, ownMemory };
