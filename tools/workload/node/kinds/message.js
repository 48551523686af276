// SPDX-License-Identifier: BSD-2-Clause
// COUNT messages of SIZE bytes to each worker. In a burst, batches are acknowledged, so that no
// queue grows without bound; in ping-pong each message comes back before the next one leaves.
// Shared memory, which threads alone have here, blocks both loops while it is used.
'use strict';

const { UsageError, fill, hash, add } = require('../base');

const BATCH = 64;
const SHARE_CHUNK = 1000; // messages through shared memory in one turn of the main loop
const PATIENCE_MS = 20000;

// One message in each direction at a time: words that say whether it is there, then the payloads.
class Box {
	constructor(memory, size) {
		this.words = new Int32Array(memory, 0, 2);
		this.bytes = [new Uint8Array(memory, 8, size), new Uint8Array(memory, 8 + size, size)];
		this.size = size;
		this.use = {
			sent: { messages: 0, bytes: 0 }, received: { messages: 0, bytes: 0 },
		};
	}

	static memory(size) {
		return new SharedArrayBuffer(8 + 2 * size);
	}

	wait(direction, value) {
		while (Atomics.load(this.words, direction) !== value)
			if (Atomics.wait(this.words, direction, 1 - value, PATIENCE_MS) === 'timed-out')
				throw new Error('shared memory: the other side does not go on');
	}

	mark(direction, value, traffic) {
		traffic.messages++;
		traffic.bytes += this.size;
		Atomics.store(this.words, direction, value);
		Atomics.notify(this.words, direction);
	}

	put(direction, write) {
		this.wait(direction, 0);
		write(this.bytes[direction]);
		this.mark(direction, 1, this.use.sent);
	}

	take(direction, read) {
		this.wait(direction, 1);
		const result = read(this.bytes[direction]);

		this.mark(direction, 0, this.use.received);
		return result;
	}
}

const DOWN = 0;
const UP = 1;

function isPingPong(options) {
	return options.mode === 'ping-pong';
}

function seedOf(options, worker, number) {
	return options.seed + Math.imul(worker, 1000003) + number;
}

function textHash(text) {
	return hash(Buffer.from(text, 'latin1'));
}

function sendNext(worker) {
	const { crew, exchange } = worker;
	const { options, payload } = crew;

	for (let i = isPingPong(options) ? 1 : BATCH; i && exchange.sent < options.count; i--) {
		const v = exchange.sent++;

		fill(seedOf(options, worker.index, v), payload);
		crew.send(worker, 'data', { v, d: payload.latin1Slice() });
	}
}

function putChunk(crew, turn) {
	const { options } = crew;
	const { exchange } = crew.workers[turn];
	const box = crew.boxes[turn];

	for (let i = 0; i < SHARE_CHUNK && exchange.sent < options.count; i++) {
		box.put(DOWN, (bytes) => fill(seedOf(options, turn, exchange.sent++), bytes));
		if (isPingPong(options))
			crew.sum = add(crew.sum, box.take(UP, hash));
	}
}

function shareChunk(crew, turn) {
	const { options, workers } = crew;
	const next = (turn + 1) % options.workers;

	crew.seat.block('shared memory', () => putChunk(crew, turn), () => {
		if (workers[next].exchange.sent < options.count)
			setTimeout(shareChunk, 1, crew, next);
	});
}

function begin(crew) {
	const { options } = crew;

	crew.sum = crew.finished = 0;
	crew.payload = Buffer.alloc(options.size);
	for (const worker of crew.workers) {
		worker.exchange = { sent: 0 };
		if (options.via === 'shared')
			crew.send(worker, 'share');
		else
			sendNext(worker);
	}
	if (options.via === 'shared')
		setTimeout(shareChunk, 1, crew, 0);
}

function workerFinished(crew) {
	crew.units += crew.options.count;
	if (++crew.finished < crew.options.workers)
		return;
	if (crew.roundDone(crew.sum))
		crew.stop();
	else
		begin(crew);
}

function receive(worker, message) {
	const { crew, exchange } = worker;

	if (message.t === 'taken') {
		crew.sum = add(crew.sum, message.v);
		workerFinished(crew);
		return;
	}
	crew.sum = add(crew.sum, message.t === 'data' ? textHash(message.d) : message.v);
	if (exchange.sent === crew.options.count)
		workerFinished(crew);
	else
		sendNext(worker);
}

function takeShared(member) {
	const { options, box } = member;
	let sum = 0;

	for (let i = 0; i < options.count; i++) {
		if (isPingPong(options))
			box.take(DOWN, (bytes) => box.put(UP, (answer) => answer.set(bytes)));
		else
			sum = add(sum, box.take(DOWN, hash));
	}
	return sum;
}

function hear(member, message) {
	const { options } = member;

	if (message.t === 'share') {
		member.seat.block('shared memory', () => takeShared(member),
			(v) => member.send('taken', { v }));
	} else if (isPingPong(options)) {
		member.send('data', { v: message.v, d: message.d });
	} else {
		member.sum = add(member.sum, textHash(message.d));
		if ((message.v + 1) % BATCH && message.v + 1 < options.count)
			return;
		member.send('answer', { v: member.sum });
		member.sum = 0;
	}
}

module.exports = {
	modes: ['burst', 'ping-pong'],
	defaults: { workers: 2, count: 20000, size: 256 },
	vias: true,
	check(options) {
		if (options.via === 'shared' && options.model !== 'thread')
			throw new UsageError('in Node, only threads share memory');
		if (options.via === 'pipe' && options.model !== 'process')
			throw new UsageError('only spawned processes have standard streams to send through');
		if (options.size > 64 << 20)
			throw new UsageError('a message has at most 64 MiB');
	},
	prepare(crew) {
		if (crew.options.via !== 'shared')
			return;
		crew.shared = Array.from({ length: crew.options.workers }, () => Box.memory(crew.options.size));
		crew.boxes = crew.shared.map((memory) => new Box(memory, crew.options.size));
	},
	start: begin,
	receive,
	join(member) {
		member.sum = 0;
		if (member.shared)
			member.box = new Box(member.shared[member.index], member.options.size);
	},
	hear,
	leave(member) {
		if (member.box)
			member.report.shared = member.box.use;
	},
	finish(crew) {
		crew.result.payload_bytes = crew.units * crew.options.size;
		if (crew.boxes)
			crew.result.shared = crew.boxes.map((box, worker) => ({ worker, ...box.use }));
	},
};
