// SPDX-License-Identifier: BSD-2-Clause
// One worker of several dies in the middle of its work. Since all may go down with it, the crew
// runs on a scene, a process of its own, and the main loop only watches: each unit that is done
// is told to it at once, so it knows what was lost whoever survives.
'use strict';

const { modes, victim } = require('./crash-worker');

module.exports = {
	modes,
	defaults: { workers: 3, count: 40, size: 4 << 20 },
	helpers: 1,
	// No core file is to be left behind, and Node cannot say so itself.
	launcher: () => ({
		execPath: '/bin/sh',
		execArgv: ['-c', 'ulimit -c 0; exec "$0" "$@"', process.execPath],
	}),
	prepare(crew) {
		crew.done_units = new Array(crew.options.workers).fill(0);
		crew.memberOptions = { ...crew.options, kind: 'crash-scene' };
		crew.options = { ...crew.options, workers: 0 };
	},
	start() {},
	receive(worker, message) {
		const { crew } = worker;

		if (message.t === 'progress') {
			crew.done_units[message.v]++;
			crew.units++;
			return;
		}
		crew.survived = true;
		crew.roundDone(message.v);
		crew.stop();
	},
	// A scene that gives up by itself was told of a death that is not the victim's.
	lost(worker) {
		worker.crew.stop();
		return worker.exit_signal !== 0;
	},
	finish(crew) {
		const { workers, count } = crew.memberOptions;
		const dead = victim(crew.memberOptions);
		const others = [...crew.done_units.keys()].filter((index) => index !== dead);
		const { scene, ...report } = crew.workers[0].report ?? {};

		crew.result.crash = {
			victim: dead,
			main_survived: Boolean(crew.survived),
			survivors: crew.survived ? others : [],
			units_done: crew.done_units,
			units_asked: workers * count,
			units_lost: workers * count - crew.units,
		};
		if (scene) {
			crew.result.scene = scene;
			crew.workers[0].report = report;
		}
	},
};
