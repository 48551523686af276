// SPDX-License-Identifier: BSD-2-Clause
// Messages between the main loop and one member, counted at both ends. Bytes are those that Node
// writes for a message, known from its two serialisations; a postMessage writes none.
'use strict';

const v8 = require('v8');

const ADVANCED_HEAD = 4; // the length before each message

function varintSize(value) {
	return value < 128 ? 1 : 1 + varintSize(Math.floor(value / 128));
}

// A string d of plain letters need not be serialised once more to know its length.
function sizeOf(serialization, message) {
	const { d, ...head } = message;
	const plain = message.t === 'data' && typeof d === 'string';
	const known = plain ? head : message;

	if (serialization === 'advanced') {
		const size = v8.serialize(known).length + ADVANCED_HEAD;

		// The key d takes three bytes, the value one and its length in groups of seven bits.
		return plain ? size + 4 + varintSize(d.length) + d.length : size;
	}
	// ,"d":"" and the newline
	return Buffer.byteLength(JSON.stringify(known)) + 1 + (plain ? 7 + d.length : 0);
}

// How many bytes V8 writes for a number depends on how it keeps it at that moment: strings have
// one length only.
function toWire({ t, d, ...numbers }) {
	const wire = { t };

	for (const [key, value] of Object.entries(numbers))
		if (value !== undefined)
			wire[key] = String(value);
	if (d !== undefined)
		wire.d = d;
	return wire;
}

function fromWire({ t, d, ...numbers }) {
	const message = { t, d };

	for (const [key, value] of Object.entries(numbers))
		message[key] = Number(value);
	return message;
}

class Link {
	constructor(kind, serialization) {
		this.kind = kind;
		this.serialization = serialization;
		this.systemCalls = kind !== 'queue';
		this.sent = { messages: 0, bytes: 0 };
		this.received = { messages: 0, bytes: 0 };
		this.all = { sent: null, received: null };
		this.onMessage = null;
	}

	count(traffic, message) {
		traffic.messages++;
		if (this.systemCalls)
			traffic.bytes += sizeOf(this.serialization, message);
		else if (typeof message.d === 'string')
			traffic.bytes += message.d.length;
	}

	send(message) {
		const wire = toWire(message);

		this.count(this.sent, wire);
		this.write(wire);
	}

	take(message) {
		this.count(this.received, message);
		this.onMessage(fromWire(message));
	}
}

// A MessagePort or a Worker.
class QueueLink extends Link {
	constructor(port) {
		super('queue');
		this.port = port;
		port.on('message', (message) => this.take(message));
	}

	write(message) {
		this.port.postMessage(message);
	}

	close() {
		this.port.close?.();
	}
}

// The channel of a fork: process inside, a ChildProcess or a cluster worker outside.
class ForkLink extends Link {
	constructor(channel, serialization) {
		super('unix', serialization);
		this.channel = channel;
		channel.on('message', (message) => this.take(message));
	}

	write(message) {
		this.channel.send(message);
	}

	// Node's own messages go the same way, a cluster's above all: the pipe counts all bytes, and knows them until it
	// is gone. Where a Node keeps it elsewhere, null remains.
	watch(child) {
		const key = Object.getOwnPropertySymbols(child).find((symbol) => symbol.description === 'kChannelHandle');
		const pipe = child[key];

		child.on('disconnect', () => {
			if (pipe?.bytesRead)
				this.all = { sent: pipe.bytesWritten, received: pipe.bytesRead };
		});
	}

	close() {
		if (this.channel.connected)
			this.channel.disconnect();
	}
}

// The standard streams of a spawn: one line of JSON per message.
class LineLink extends Link {
	constructor(input, output) {
		super('unix', 'json');
		this.input = input;
		this.output = output;
		this.rest = '';
		input.setEncoding('latin1');
		input.on('data', (text) => this.lines(text));
	}

	lines(text) {
		const lines = (this.rest + text).split('\n');

		this.rest = lines.pop();
		for (const line of lines)
			this.take(JSON.parse(line));
	}

	write(message) {
		this.output.write(JSON.stringify(message) + '\n');
	}

	close() {
		this.output.end();
		this.input.destroy();
	}
}

module.exports = { QueueLink, ForkLink, LineLink };
