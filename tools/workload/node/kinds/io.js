// SPDX-License-Identifier: BSD-2-Clause
// COUNT operations per worker through the thread pool, a few at a time: reads of SIZE bytes from a
// file, and lookups. One pool serves all loops of a process, so threads share one and processes do
// not. starve: key derivations fill the pool first, and a lookup has to wait for them although no
// loop is busy.
'use strict';

const crypto = require('crypto');
const dns = require('dns');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { UsageError, compute, fill, hash, add, now } = require('../base');

const IN_FLIGHT = 8;
const LOOKUP_EVERY = 16;
const FILE_BLOCKS = 64;
const STARVE_JOBS = 12; // three times the pool
const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY;
const BYTES_PER_ITERATION = 1024; // makes WORK bytes of a job about as long as the native one

function operations(options) {
	return options.mode === 'starve' ? STARVE_JOBS + 1 : options.count;
}

function isLookup(options, number) {
	if (options.mode === 'starve')
		return number === STARVE_JOBS;
	return options.mode === 'lookup' || (options.mode === 'mixed' && number % LOOKUP_EVERY === 0);
}

// Without a name from the start where the file system can; otherwise for an instant.
function openUnnamed() {
	try {
		return fs.openSync(os.tmpdir(), O_TMPFILE | fs.constants.O_RDWR, 0o600);
	} catch {
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'partrace-'));
		const name = path.join(folder, 'file');
		const fd = fs.openSync(name, 'wx+', 0o600);

		fs.unlinkSync(name);
		fs.rmdirSync(folder);
		return fd;
	}
}

function makeFile(member) {
	const { seed, size } = member.options;
	const block = Buffer.alloc(size);

	member.file = openUnnamed();
	for (let i = 0; i < FILE_BLOCKS; i++)
		fs.writeSync(member.file, fill(seed + i, block), 0, size, i * size);
}

function done(member, slot, result, kind) {
	const { io, options } = member;

	io[`${kind}s`]++;
	io[`${kind}_max_ns`] = Math.max(io[`${kind}_max_ns`], now() - slot.started);
	member.sum = add(member.sum, result);
	if (++member.finished === operations(options))
		member.send('done', { v: member.sum });
	else
		next(member, slot);
}

function read(member, slot, number) {
	const { seed, size } = member.options;
	const block = compute(seed + number, 4) % FILE_BLOCKS;

	fs.read(member.file, slot.buffer, 0, size, block * size, (error, bytes) => {
		if (error)
			throw error;
		member.io.read_bytes += bytes;
		done(member, slot, hash(slot.buffer.subarray(0, bytes)), 'read');
	});
}

// "localhost" is looked up in files; no question leaves this machine.
function lookup(member, slot) {
	dns.lookup('localhost', { family: 4 }, (error) => {
		if (error)
			throw error;
		done(member, slot, 1, 'lookup');
	});
}

function job(member, slot, number) {
	const { seed, work } = member.options;
	const iterations = Math.max(1, Math.floor(work / BYTES_PER_ITERATION));

	crypto.pbkdf2('workload', String(seed + number), iterations, 4, 'sha256', (error, key) => {
		if (error)
			throw error;
		done(member, slot, key.readUInt32LE(0), 'job');
	});
}

function next(member, slot) {
	const { options } = member;

	if (member.next === operations(options))
		return;
	const number = member.next++;

	slot.started = now();
	if (isLookup(options, number))
		lookup(member, slot);
	else if (options.mode === 'starve')
		job(member, slot, number);
	else
		read(member, slot, number);
}

function work(member) {
	member.next = member.finished = member.sum = 0;
	for (const slot of member.slots)
		next(member, slot);
}

function begin(crew) {
	crew.sum = crew.finished = 0;
	for (const worker of crew.workers)
		crew.send(worker, 'go');
}

module.exports = {
	modes: ['mixed', 'read', 'lookup', 'starve'],
	defaults: { workers: 2, count: 20000, size: 4096, work: 64 << 20 },
	check(options) {
		if (options.size > 16 << 20)
			throw new UsageError('a read has at most 16 MiB');
	},
	start: begin,
	receive(worker, message) {
		const { crew } = worker;

		crew.sum = add(crew.sum, message.v);
		crew.units += operations(crew.options);
		if (++crew.finished < crew.options.workers)
			return;
		if (crew.roundDone(crew.sum))
			crew.stop();
		else
			begin(crew);
	},
	join(member) {
		member.io = {
			reads: 0, read_bytes: 0, lookups: 0, jobs: 0, read_max_ns: 0, lookup_max_ns: 0,
			job_max_ns: 0,
		};
		member.slots = Array.from({ length: IN_FLIGHT },
			() => ({ buffer: Buffer.alloc(member.options.size) }));
	},
	hear(member) {
		if (member.file === undefined)
			member.seat.block('write file', () => makeFile(member), () => work(member));
		else
			work(member);
	},
	leave(member) {
		fs.closeSync(member.file);
		member.report.io = member.io;
	},
};
