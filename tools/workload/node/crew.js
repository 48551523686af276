// SPDX-License-Identifier: BSD-2-Clause
// The main loop and its workers: created, greeted, listened to, and gathered in again.
'use strict';

const childProcess = require('child_process');
const cluster = require('cluster');
const net = require('net');
const os = require('os');
const path = require('path');
const { Worker } = require('worker_threads');
const { Seat, now, hex, ownMemory, MEMBER_ENV } = require('./base');
const { kinds, toArgv } = require('./options');
const { QueueLink, ForkLink, LineLink } = require('./link');

const HEARTBEAT_MS = 10;
const entry = path.join(__dirname, 'main.js');

class Crew {
	constructor(options) {
		this.options = this.memberOptions = options;
		this.kind = kinds[options.kind];
		this.seat = new Seat();
		this.start_ns = now();
		this.workers = [];
		this.result = {};
		this.ports = [];
		this.present = this.ended = this.rounds = this.units = this.checksum = 0;
		this.stopping = false;
		this.beats = this.lateMax = 0;
		this.lastBeat = now();
		this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS);
		this.done = null; // called when all members have ended
	}

	beat() {
		const at = now();

		this.lateMax = Math.max(this.lateMax, at - this.lastBeat - HEARTBEAT_MS * 1e6);
		this.lastBeat = at;
		this.beats++;
	}

	assemble() {
		this.kind.prepare?.(this);
		const members = this.options.workers + (this.kind.helpers ?? 0);

		this.beforeBytes = ownMemory();
		for (let i = 0; i < members; i++)
			this.workers.push(this.create(i));
	}

	create(index) {
		const helper = index >= this.options.workers;
		const worker = {
			index, helper, crew: this, created: now(), exit_code: 0, exit_signal: 0, report: null,
		};

		if (helper)
			this.createFork(worker);
		else if (this.options.model === 'thread')
			this.createThread(worker);
		else if (this.options.model === 'cluster')
			this.createClusterWorker(worker);
		else if (this.options.via === 'pipe')
			this.createSpawn(worker);
		else
			this.createFork(worker);
		worker.link.onMessage = (message) => this.receive(worker, message);
		return worker;
	}

	createThread(worker) {
		const thread = new Worker(entry, {
			workerData: { options: this.memberOptions, index: worker.index, shared: this.shared },
			resourceLimits: this.kind.heapLimit?.(this.options),
			stdout: true,
		});

		worker.pid = process.pid;
		worker.link = new QueueLink(thread);
		thread.on('error', (error) => { worker.error = String(error.code ?? error.message); });
		thread.on('exit', (code) => this.end(worker, code, null));
	}

	execArgv() {
		const limit = this.kind.heapLimit?.(this.options);

		return limit ? [`--max-old-space-size=${limit.maxOldGenerationSizeMb}`] : [];
	}

	// Standard output is for the one JSON object.
	stdio(worker) {
		return ['ignore', 2, this.kind.stderr?.(this.options, worker.index) ?? 2, 'ipc'];
	}

	createFork(worker) {
		const child = childProcess.fork(entry, toArgv(this.memberOptions, { member: worker.index }), {
			serialization: this.options.serialization,
			stdio: this.stdio(worker),
			execArgv: this.execArgv(),
			...this.kind.launcher?.(),
		});

		this.watchChild(worker, child);
		worker.link = new ForkLink(child, this.options.serialization);
		worker.link.watch(child);
	}

	createSpawn(worker) {
		const argv = [...this.execArgv(), entry, ...toArgv(this.memberOptions, { member: worker.index })];
		const child = childProcess.spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 2] });

		child.stdin.on('error', () => {}); // a child that died is noticed by its exit
		this.watchChild(worker, child);
		worker.link = new LineLink(child.stdout, child.stdin);
	}

	createClusterWorker(worker) {
		if (worker.index === 0)
			cluster.schedulingPolicy =
				this.options.mode === 'shared' ? cluster.SCHED_NONE : cluster.SCHED_RR;
		cluster.setupPrimary({
			exec: entry, args: toArgv(this.memberOptions, {}), execArgv: this.execArgv(),
			serialization: this.options.serialization, stdio: this.stdio(worker),
		});
		const child = cluster.fork({ [MEMBER_ENV]: worker.index });

		this.watchChild(worker, child.process);
		worker.link = new ForkLink(child, this.options.serialization);
		worker.link.watch(child.process);
	}

	// close comes after exit, when everything that was sent has arrived, too.
	watchChild(worker, child) {
		worker.pid = child.pid;
		worker.isProcess = true;
		child.on('close', (code, signal) => this.end(worker, code, signal));
		child.on('error', (error) => this.fail(`worker ${worker.index}: ${error.message}`));
	}

	send(worker, t, fields) {
		worker.link.send({ t, ...fields });
	}

	receive(worker, message) {
		if (message.t === 'hello')
			this.hello(worker, message);
		else if (message.t === 'report')
			this.gather(worker, message);
		else
			this.kind.receive(worker, message);
	}

	hello(worker, message) {
		worker.startup_ns = now() - worker.created;
		worker.pid = message.pid;
		worker.tid = message.tid;
		if (++this.present < this.workers.length)
			return;
		if (this.options.model === 'cluster' && !this.kind.serves && this.options.workers)
			this.greet(message.port);
		else
			this.kind.start(this);
	}

	// One connection per worker, round robin unless the workers share the socket.
	greet(port) {
		let greetings = this.options.workers;

		this.ports.push(port);
		for (let i = 0; i < this.options.workers; i++) {
			const socket = net.connect(port, '127.0.0.1');

			socket.resume();
			socket.on('error', (error) => this.fail(`greeting: ${error.message}`));
			socket.on('close', () => --greetings || this.kind.start(this));
		}
	}

	// The report could not count itself.
	gather(worker, message) {
		worker.report = JSON.parse(message.d);
		worker.link.count(worker.report.sent, message);
	}

	end(worker, code, signal) {
		worker.exit_code = code ?? 0;
		worker.exit_signal = signal ? os.constants.signals[signal] : 0;
		worker.ended = true;
		if (!worker.report && !this.kind.lost?.(worker))
			this.fail(`worker ${worker.index} ended by itself`);
		this.ended++;
		this.checkEnd();
	}

	checkEnd() {
		if (!this.stopping || this.ended < this.workers.length || this.over)
			return;
		this.over = true;
		clearInterval(this.heartbeat);
		this.done?.(this);
	}

	stop() {
		if (this.stopping)
			return;
		this.stopping = true;
		for (const worker of this.workers)
			if (!worker.ended)
				this.send(worker, 'stop');
		this.checkEnd();
	}

	fail(text) {
		process.stderr.write(`partrace-workload: ${text}\n`);
		process.exit(1);
	}

	// Every round does the same work, so it must come to the same result.
	roundDone(checksum) {
		if (this.rounds && checksum !== this.checksum)
			this.fail(`round ${this.rounds}: checksum ${hex(checksum)} instead of ${hex(this.checksum)}`);
		this.checksum = checksum;
		this.rounds++;
		return (now() - this.start_ns) / 1e9 >= this.options.seconds;
	}

	// Two directions of each link. A member that died could not say what it sent and received.
	channels(worker) {
		const { link, report } = worker;
		const main = { pid: this.seat.pid, tid: this.seat.tid };
		const other = { pid: worker.pid, tid: worker.tid };
		const head = {
			worker: worker.index, kind: link.kind, system_calls: link.systemCalls,
			// Node's cluster sends messages of its own beside those counted here.
			complete: this.options.model !== 'cluster' || worker.helper,
		};

		return [
			{
				...head, from: main, to: other, sent: link.sent, received: report?.received ?? null,
				all_bytes: link.all.sent,
			},
			{
				...head, from: other, to: main, sent: report?.sent ?? null, received: link.received,
				all_bytes: link.all.received,
			},
		];
	}

	workerJson(worker) {
		const { loop, stalls, sent, received, ...report } = worker.report ?? {};
		const status = worker.isProcess ?
			{ exit_code: worker.exit_code, exit_signal: worker.exit_signal } : { error: worker.error };

		return {
			index: worker.index, role: worker.helper ? 'helper' : 'worker', pid: worker.pid,
			tid: worker.tid, startup_ns: worker.startup_ns, survived: worker.report !== null,
			...status, ...report,
		};
	}

	json() {
		this.kind.finish?.(this);
		const { model, kind, member, ...options } = this.memberOptions;
		const reports = this.workers.map((worker) => worker.report).filter(Boolean);
		const out = {
			format: 1, model, kind: this.options.kind, runtime: 'node', version: process.version,
			options, clock: 'CLOCK_MONOTONIC', pid: this.seat.pid, tid: this.seat.tid,
			start_ns: this.start_ns, end_ns: now(),
			work: { rounds: this.rounds, units: this.units, checksum: hex(this.checksum) },
			heartbeat: {
				interval_ns: HEARTBEAT_MS * 1e6, beats: this.beats, late_max_ns: this.lateMax,
			},
			before_bytes: this.beforeBytes,
			workers: this.workers.map((worker) => this.workerJson(worker)),
			loops: [this.seat.loop(), ...reports.map((report) => report.loop)],
			channels: this.workers.flatMap((worker) => this.channels(worker)),
			stalls: [...this.seat.stalls, ...reports.flatMap((report) => report.stalls)],
			ports: this.ports,
			...this.result,
		};

		// A crew on a scene of its own counts like this one: one list of each. Its main loop is
		// the scene's, which is there already.
		out.scene?.loops.shift();
		for (const list of ['loops', 'channels', 'stalls', 'ports']) {
			if (!out.scene)
				break;
			out[list].push(...out.scene[list]);
			delete out.scene[list];
		}
		return out;
	}
}

module.exports = { Crew };
