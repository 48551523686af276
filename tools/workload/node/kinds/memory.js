// SPDX-License-Identifier: BSD-2-Clause
// Each worker loads SIZE bytes of its own, or reads one block that the main loop loaded.
'use strict';

const { UsageError, fill, hash, add, rollup } = require('../base');

module.exports = {
	modes: ['own', 'shared'],
	defaults: { workers: 2, count: 1, size: 32 << 20, seconds: 1 },
	check(options) {
		if (options.mode === 'shared' && options.model !== 'thread')
			throw new UsageError('in Node, only threads share memory');
	},
	prepare(crew) {
		crew.sum = crew.loaded = 0;
		if (crew.options.mode === 'shared')
			crew.shared = new SharedArrayBuffer(crew.options.size);
	},
	start(crew) {
		const load = () => crew.workers.forEach((worker) => crew.send(worker, 'load'));

		if (crew.shared)
			crew.seat.block('load', () => fill(crew.options.seed, new Uint8Array(crew.shared)), load);
		else
			load();
	},
	// Once all have loaded, everything stays as it is for a while: that is what is to be seen.
	receive(worker, message) {
		const { crew } = worker;

		crew.sum = add(crew.sum, message.v);
		crew.units++;
		if (++crew.loaded < crew.options.workers)
			return;
		crew.roundDone(crew.sum);
		setTimeout(() => {
			crew.result.memory = rollup();
			crew.stop();
		}, crew.options.seconds * 1000);
	},
	hear(member) {
		const { options } = member;

		member.seat.block('load', () => {
			if (member.shared)
				member.block = new Uint8Array(member.shared);
			else
				member.block = fill(options.seed + member.index, Buffer.alloc(options.size));
			return hash(member.block);
		}, (v) => member.send('loaded', { v }));
	},
	leave(member) {
		const { options, report } = member;

		report.loaded_bytes = member.shared ? 0 : options.size;
		report.shared_bytes = member.shared ? options.size : 0;
		if (options.model !== 'thread')
			report.memory = rollup();
	},
};
