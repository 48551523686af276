// SPDX-License-Identifier: BSD-2-Clause
// The workers on the scene: they compute, until one of them dies half-way.
'use strict';

const { isMainThread } = require('worker_threads');
const { compute, add } = require('../base');

const GAP_MS = 5;
const HEAP_MB = 48;

function victim(options) {
	return options.seed % options.workers;
}

function exhaustMemory() {
	const hoard = [];

	for (;;)
		hoard.push(new Array(100000).fill(hoard.length));
}

function die(mode) {
	switch (mode) {
	case 'exception':
		throw new Error('this worker was told to fail');
	case 'oom':
		exhaustMemory();
		break;
	case 'abort':
		// A worker thread may not call process.abort(), but it can do the same.
		if (isMainThread)
			process.abort();
		process.kill(process.pid, 'SIGABRT');
		break;
	default:
		process.kill(process.pid, 'SIGSEGV');
	}
}

function labour(member) {
	const { options, index } = member;
	const seed = options.seed + Math.imul(index, 1000003) + member.finished;

	member.seat.block('compute', () => compute(seed, options.size), (v) => deliver(member, v));
}

function deliver(member, v) {
	const { options, index } = member;

	member.finished++;
	// Half-way the victim has done a unit that nobody will hear of.
	if (index === victim(options) && member.finished > Math.floor(options.count / 2)) {
		die(options.mode);
		return;
	}
	member.send('unit', { v });
	if (member.finished < options.count)
		setTimeout(labour, GAP_MS, member);
	else
		member.send('finished');
}

function check(crew) {
	if (crew.dead && crew.finished + crew.dead === crew.options.workers)
		crew.stop();
}

module.exports = {
	modes: ['abort', 'exception', 'segv', 'oom'],
	hidden: true,
	victim,
	heapLimit: (options) => options.mode === 'oom' ? { maxOldGenerationSizeMb: HEAP_MB } : undefined,
	// What Node says of a death that was asked for helps nobody.
	stderr: (options, index) => (index === victim(options) ? 'ignore' : 2),
	start(crew) {
		crew.sum = crew.finished = crew.dead = 0;
		crew.workers.forEach((worker) => crew.send(worker, 'go'));
	},
	receive(worker, message) {
		const { crew } = worker;

		if (message.t === 'finished') {
			crew.finished++;
			check(crew);
			return;
		}
		crew.units++;
		if (worker.index !== victim(crew.options))
			crew.sum = add(crew.sum, message.v);
		crew.progress(worker.index);
	},
	lost(worker) {
		const { crew } = worker;

		if (worker.index !== victim(crew.options))
			return false;
		crew.dead++;
		check(crew);
		return true;
	},
	join(member) {
		member.finished = 0;
	},
	hear(member) {
		setTimeout(labour, GAP_MS, member);
	},
};
