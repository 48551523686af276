// SPDX-License-Identifier: BSD-2-Clause
// The same computation on the main loop or spread over the workers, while the main loop keeps a
// heartbeat. Each unit blocks the loop it runs on, and is one stall of it.
'use strict';

const { compute, add } = require('../base');

const GAP_MS = 5; // between two units on the main loop, for others to be served

function unit(options, seat, number, then) {
	seat.block('compute', () => compute(options.seed + number, options.size), then);
}

function give(worker) {
	const { state, options } = worker.crew;

	if (state.next < options.count)
		worker.crew.send(worker, 'unit', { v: state.next++ });
}

function begin(crew) {
	crew.state = { next: 0, finished: 0, checksum: 0 };
	if (crew.options.mode === 'main')
		setTimeout(onGap, GAP_MS, crew);
	else
		crew.workers.forEach(give);
}

// Returns whether the round goes on.
function done(crew, result) {
	const { state, options } = crew;

	state.checksum = add(state.checksum, result);
	crew.units++;
	if (++state.finished < options.count)
		return true;
	if (crew.roundDone(state.checksum))
		crew.stop();
	else
		begin(crew);
	return false;
}

function onGap(crew) {
	unit(crew.options, crew.seat, crew.state.finished, (result) => {
		if (done(crew, result))
			setTimeout(onGap, GAP_MS, crew);
	});
}

module.exports = {
	modes: ['workers', 'main'],
	defaults: { workers: 2, count: 24, size: 96 << 20 },
	start: begin,
	receive(worker, message) {
		if (done(worker.crew, message.v))
			give(worker);
	},
	hear(member, message) {
		unit(member.options, member.seat, message.v, (v) => member.send('result', { v }));
	},
};
