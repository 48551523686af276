// SPDX-License-Identifier: BSD-2-Clause
'use strict';

const { UsageError, MEMBER_ENV } = require('./base');

const kinds = {};
for (const name of ['cpu', 'message', 'http', 'io', 'memory', 'crash', 'crash-scene', 'crash-worker'])
	kinds[name] = require(`./kinds/${name}`);

const models = ['thread', 'process', 'cluster'];
const choices = {
	via: ['message', 'pipe', 'shared'],
	serialization: ['json', 'advanced'],
};
const ranges = {
	workers: [1, 256],
	count: [1, 1e9],
	size: [1, 2 ** 36],
	seed: [0, 2 ** 32 - 1],
	work: [0, 2 ** 36],
	connections: [1, 1000],
	seconds: [0, 86400],
	member: [0, 2 ** 32 - 2],
};

const help = `Usage: node main.js thread|process|cluster[/KIND] [OPTION...]
Run code in parallel in one of three ways, and print as JSON what happened.

  --workers=N  --seconds=S  --count=N  --size=BYTES  --seed=N  --mode=MODE
  --on=main|workers  --via=message|pipe|shared  --work=BYTES  --connections=N
  --serialization=json|advanced

Kinds, and their modes, the default first:
`;

function helpText() {
	const shown = Object.entries(kinds).filter(([, kind]) => kind.modes && !kind.hidden);

	return help + shown.map(([name, kind]) => `  ${name}: ${kind.modes.join(' ')}\n`).join('');
}

function number(name, text) {
	const [low, high] = ranges[name];
	const pattern = name === 'seconds' ? /^\d+(\.\d*)?$/ : /^\d+$/;
	const value = Number(text);

	if (!pattern.test(text) || value < low || value > high)
		throw new UsageError(`--${name}: '${text}' is not a number from ${low} to ${high}`);
	return value;
}

function choose(name, text, list) {
	if (!list.includes(text))
		throw new UsageError(`--${name}: '${text}' is not possible here`);
	return text;
}

function modelAndKind(options, text) {
	const [model, ...rest] = text.split('/');
	const name = rest.length ? rest.join('/') : 'cpu';

	if (!models.includes(model))
		throw new UsageError(`'${text}' is not thread, process or cluster`);
	if (!Object.hasOwn(kinds, name))
		throw new UsageError(`there is no kind '${name}'`);
	options.model = model;
	options.kind = name;
}

function complete(options) {
	if (!options.model)
		throw new UsageError('which model? thread, process or cluster');
	const kind = kinds[options.kind];
	const isMember = options.member !== undefined || process.env[MEMBER_ENV] !== undefined;

	if (kind.hidden && !isMember)
		throw new UsageError(`${options.kind} runs only as a part of another kind`);
	const usual = options.model === 'cluster' && kind.clusterMode || kind.modes[0];
	const all = {
		seconds: 0, seed: 1, work: 0, connections: 8, via: 'message', serialization: 'json',
		...kind.defaults, mode: usual, ...options,
	};

	choose('mode', all.mode, kind.modes);
	if (all.via !== 'message' && !kind.vias)
		throw new UsageError(`--via does not apply to ${all.kind}`);
	if (kind.check)
		kind.check(all);
	return all;
}

function set(options, name, text) {
	if (name === 'mode' || name === 'on')
		options.mode = text;
	else if (choices[name])
		options[name] = choose(name, text, choices[name]);
	else if (ranges[name])
		options[name] = number(name, text);
	else
		throw new UsageError(`there is no option --${name}`);
}

function parse(argv) {
	const options = {};

	for (let i = 0; i < argv.length; i++) {
		const match = /^--([a-z]+)(?:=(.*))?$/.exec(argv[i]);

		if (argv[i] === '--help')
			return { help: helpText() };
		if (match) {
			const text = match[2] ?? argv[++i];
			if (text === undefined)
				throw new UsageError(`--${match[1]} needs a value`);
			set(options, match[1], text);
		} else if (argv[i].startsWith('-') || options.model) {
			throw new UsageError(`'${argv[i]}' is too much`);
		} else {
			modelAndKind(options, argv[i]);
		}
	}
	return complete(options);
}

// For the start of a member process.
function toArgv(options, extra) {
	const { model, kind, ...rest } = { ...options, ...extra };

	return [`${model}/${kind}`, ...Object.entries(rest).map(([name, value]) => `--${name}=${value}`)];
}

module.exports = { kinds, parse, toArgv };
