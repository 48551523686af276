// SPDX-License-Identifier: BSD-2-Clause
// A server with work per request, and its load from one more process. Who serves is the mode:
//   single   the main loop does everything
//   offload  the main loop serves; workers compute (threads, processes)
//   handed   the primary accepts and hands connections round, workers serve (SCHED_RR)
//   shared   every worker accepts from the one listening socket and serves (SCHED_NONE)
'use strict';

const http = require('http');
const { UsageError, compute, add, hex, now } = require('../base');

function answer(response, size, result) {
	response.writeHead(200, { 'Content-Length': size });
	response.end(hex(result).padEnd(size, '.'));
}

// A server on whichever loop, with its bytes counted when connections close.
class Server {
	constructor(options, work) {
		const { seed, size } = options;

		this.counts = {
			connections: 0, requests: 0,
			sent: { messages: 0, bytes: 0 }, received: { messages: 0, bytes: 0 },
		};
		this.sockets = new Set();
		this.http = http.createServer((request, response) => {
			const number = Number(request.url.slice(1));

			this.counts.requests++;
			this.counts.received.messages++;
			this.counts.sent.messages++;
			if (work)
				work(number, (result) => answer(response, size, result));
			else
				answer(response, size, compute(seed + number, options.work));
		});
		this.http.keepAliveTimeout = 0;
		this.http.on('connection', (socket) => this.follow(socket));
	}

	follow(socket) {
		this.counts.connections++;
		this.sockets.add(socket);
		socket.setNoDelay(true);
		socket.on('close', () => {
			this.sockets.delete(socket);
			this.counts.received.bytes += socket.bytesRead;
			this.counts.sent.bytes += socket.bytesWritten;
			this.checkClosed();
		});
	}

	listen(done) {
		this.http.listen(0, '127.0.0.1', () => done(this.http.address().port));
	}

	checkClosed() {
		if (this.sockets.size === 0 && this.isClosed)
			this.onClosed();
	}

	// The last socket may report its bytes after the server has said that it is closed.
	close() {
		return new Promise((resolve) => {
			this.onClosed = resolve;
			this.http.close(() => {
				this.isClosed = true;
				this.checkClosed();
			});
			this.http.closeIdleConnections();
		});
	}
}

// The client: some connections stay open for a round, one request on the way on each.
function clientJoin(member) {
	member.client = {
		connections: 0, requests: 0,
		sent: { messages: 0, bytes: 0 }, received: { messages: 0, bytes: 0 },
	};
	member.latencies = [];
}

function ask(member, round) {
	const { client } = member;
	const begun = now();

	if (round.next === member.options.count) {
		round.finish();
		return;
	}
	const request = http.get({
		agent: round.agent, port: round.port, host: '127.0.0.1', path: `/${round.next++}`,
	});

	client.requests++;
	client.sent.messages++;
	request.on('socket', (socket) => round.sockets.add(socket));
	request.on('error', (error) => { throw error; });
	request.on('response', (response) => {
		let text = '';

		response.setEncoding('latin1');
		response.on('data', (part) => { text += part; });
		response.on('end', () => {
			client.received.messages++;
			round.sum = add(round.sum, parseInt(text.slice(0, 8), 16));
			member.latencies.push(now() - begun);
			// The agent gets its socket back first.
			setImmediate(ask, member, round);
		});
	});
}

function clientRound(member, port) {
	const { client, options } = member;
	let open = options.connections;
	const round = {
		port, next: 0, sum: 0, sockets: new Set(),
		agent: new http.Agent({ keepAlive: true, maxSockets: options.connections }),
		finish() {
			if (--open)
				return;
			client.connections += round.sockets.size;
			for (const socket of round.sockets) {
				client.sent.bytes += socket.bytesWritten;
				client.received.bytes += socket.bytesRead;
			}
			round.agent.destroy();
			member.send('loaded', { v: round.sum });
		},
	};

	for (let i = 0; i < options.connections; i++)
		ask(member, round);
}

function quantile(sorted, q) {
	return sorted.length ? sorted[Math.floor(q * (sorted.length - 1))] : 0;
}

function clientLeave(member) {
	const sorted = member.latencies.sort((a, b) => a - b);

	member.report.client = {
		...member.client,
		latency_ns: { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) },
	};
}

// The crew's side.
function load(crew) {
	crew.send(crew.workers.at(-1), 'load', { v: crew.port });
}

function offload(crew) {
	let next = 0;

	crew.waiting = new Map();
	return (number, done) => {
		const id = crew.nextId++;

		crew.waiting.set(id, done);
		crew.send(crew.workers[next++ % crew.options.workers], 'work', { v: number, id });
	};
}

function serve(crew) {
	crew.nextId = 0;
	crew.server = new Server(crew.options, crew.options.mode === 'offload' ? offload(crew) : null);
	crew.server.listen((port) => {
		crew.port = port;
		crew.ports.push(port);
		load(crew);
	});
}

async function roundDone(crew, sum) {
	crew.units += crew.options.count;
	if (!crew.roundDone(sum)) {
		load(crew);
		return;
	}
	await crew.server?.close();
	crew.stop();
}

function isClustered(options) {
	return options.mode === 'handed' || options.mode === 'shared';
}

module.exports = {
	modes: ['offload', 'single', 'handed', 'shared'],
	clusterMode: 'handed',
	serves: true,
	helpers: 1,
	defaults: { workers: 2, count: 10000, size: 512, work: 128 << 10 },
	check(options) {
		if (options.size < 8 || options.size > 16 << 20)
			throw new UsageError('an answer has from 8 bytes to 16 MiB');
		if (options.model !== 'cluster' && isClustered(options))
			throw new UsageError('only a cluster hands connections over or shares a listening socket');
		if (options.model === 'cluster' && options.mode === 'offload')
			throw new UsageError('the workers of a cluster serve by themselves: handed, shared or single');
	},
	start(crew) {
		crew.ready = 0;
		if (!isClustered(crew.options))
			serve(crew);
		else
			crew.workers.slice(0, -1).forEach((worker) => crew.send(worker, 'listen'));
	},
	receive(worker, message) {
		const { crew } = worker;

		if (message.t === 'worked') {
			crew.waiting.get(message.id)(message.v);
			crew.waiting.delete(message.id);
		} else if (message.t === 'loaded') {
			roundDone(crew, message.v);
		} else if (++crew.ready === crew.options.workers) {
			crew.port = message.v;
			crew.ports.push(message.v);
			load(crew);
		}
	},
	join(member) {
		if (member.isHelper)
			clientJoin(member);
		else if (isClustered(member.options))
			member.server = new Server(member.options, null);
	},
	hear(member, message) {
		if (message.t === 'load') {
			clientRound(member, message.v);
		} else if (message.t === 'listen') {
			member.server.listen((port) => member.send('ready', { v: port }));
		} else {
			const { seed, work } = member.options;

			member.requests = (member.requests ?? 0) + 1;
			member.send('worked', { v: compute(seed + message.v, work), id: message.id });
		}
	},
	async leave(member) {
		if (member.isHelper) {
			clientLeave(member);
			return;
		}
		await member.server?.close();
		member.report.server = member.server?.counts ?? { requests: member.requests ?? 0 };
	},
	finish(crew) {
		crew.result.server = crew.server?.counts ?? null;
	},
};
