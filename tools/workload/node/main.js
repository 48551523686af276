// SPDX-License-Identifier: BSD-2-Clause
// partrace-workload for Node: worker_threads, child_process and cluster.
'use strict';

const { isMainThread, workerData } = require('worker_threads');
const { UsageError, MEMBER_ENV } = require('./base');
const { parse } = require('./options');
const { Crew } = require('./crew');
const { Member } = require('./member');

function usage(text) {
	process.stderr.write(`partrace-workload: ${text}\nTry --help.\n`);
	process.exitCode = 2;
}

function runCrew(options) {
	const crew = new Crew(options);

	crew.done = () => process.stdout.write(JSON.stringify(crew.json(), null, 1) + '\n');
	crew.assemble();
}

function main() {
	let options;

	if (!isMainThread) {
		new Member(workerData.options, workerData.index).start();
		return;
	}
	try {
		options = parse(process.argv.slice(2));
	} catch (error) {
		if (!(error instanceof UsageError))
			throw error;
		usage(error.message);
		return;
	}
	const index = options.member ?? process.env[MEMBER_ENV];

	if (options.help)
		process.stdout.write(options.help);
	else if (index !== undefined)
		new Member(options, Number(index)).start();
	else
		runCrew(options);
}

main();
