// SPDX-License-Identifier: BSD-2-Clause
// Messages between the main loop and one member, counted at both ends. Bytes are those that Node
// writes for a message, known from its two serialisations; a postMessage writes none.
'use strict';

const v8 = require('v8');

const ADVANCED_HEAD = 4; // the length before each message

// A string d of plain letters need not be serialised once more to know its length.
function sizeOf(serialization, message) {
	const { d, ...head } = message;
	const plain = message.t === 'data' && typeof d === 'string';
	const known = plain ? head : message;

	if (serialization === 'advanced') {
		const size = v8.serialize(known).length + ADVANCED_HEAD;
		const digits = plain ? (d.length < 128 ? 1 : d.length < 16384 ? 2 : d.length < 2097152 ? 3 : 4) : 0;

		return plain ? size + 3 + 1 + digits + d.length : size;
	}
	// ,"d":"" and the newline
	return Buffer.byteLength(JSON.stringify(known)) + 1 + (plain ? 7 + d.length : 0);
}

class Link {
	constructor(kind, serialization) {
		this.kind = kind;
		this.serialization = serialization;
		this.systemCalls = kind !== 'queue';
		this.sent = { messages: 0, bytes: 0 };
		this.received = { messages: 0, bytes: 0 };
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
		this.count(this.sent, message);
		this.write(message);
	}

	take(message) {
		this.count(this.received, message);
		this.onMessage(message);
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

	close() {
		if (this.channel.connected)
			this.channel.disconnect();
	}
}

// The standard streams of a spawn: one line of JSON per message.
class LineLink extends Link {
	constructor(input, output) {
		super('unix', 'json');
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
	}
}

module.exports = { QueueLink, ForkLink, LineLink };
