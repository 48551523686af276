// SPDX-License-Identifier: BSD-2-Clause
// A worker, seen from the inside: the same for a thread and for a process.
'use strict';

const cluster = require('cluster');
const net = require('net');
const { isMainThread, parentPort, workerData } = require('worker_threads');
const { Seat } = require('./base');
const { kinds } = require('./options');
const { QueueLink, ForkLink, LineLink } = require('./link');

class Member {
	constructor(options, index) {
		this.options = options;
		this.index = index;
		this.kind = kinds[options.kind];
		this.seat = new Seat();
		this.report = {};
		this.stopped = false;
		this.greeted = 0;
		this.link = this.makeLink();
		this.link.onMessage = (message) => this.hear(message);
	}

	get isHelper() {
		return this.index >= this.options.workers;
	}

	makeLink() {
		if (!isMainThread)
			return new QueueLink(parentPort);
		if (process.send) {
			// A crew that is gone leaves nobody to work for.
			process.on('disconnect', () => this.stopped || process.exit(1));
			return new ForkLink(process, this.options.serialization);
		}
		process.stdin.on('end', () => this.stopped || process.exit(1));
		return new LineLink(process.stdin, process.stdout);
	}

	send(t, fields) {
		this.link.send({ t, ...fields });
	}

	async hear(message) {
		if (message.t !== 'stop') {
			this.kind.hear(this, message);
			return;
		}
		this.stopped = true;
		this.greeter?.close();
		await this.kind.leave?.(this);
		this.send('report', { d: JSON.stringify({
			...this.report,
			loop: this.seat.loop(), stalls: this.seat.stalls,
			sent: this.link.sent, received: this.link.received,
			...(cluster.isWorker && { greeted: this.greeted }),
		}) });
		this.link.close();
	}

	// What makes workers a cluster: each serves connections to the one port of the primary.
	listen(done) {
		this.greeter = net.createServer((socket) => {
			this.greeted++;
			socket.end('hello\n');
		});
		this.greeter.listen(0, '127.0.0.1', () => done(this.greeter.address().port));
	}

	start() {
		const hello = (port) => {
			this.send('hello', { pid: this.seat.pid, tid: this.seat.tid, port });
			this.kind.join?.(this);
		};

		this.shared = isMainThread ? undefined : workerData.shared;
		if (cluster.isWorker && !this.kind.serves)
			this.listen(hello);
		else
			hello();
	}
}

module.exports = { Member };
