// SPDX-License-Identifier: BSD-2-Clause
'use strict';
// One stall of each kind that a Node program brings upon itself.
const crypto = require('crypto');
const fs = require('fs');
const { execSync, spawnSync } = require('child_process');
const { busy, run, timed, write } = require('./truth.js');

const json = JSON.stringify(Array.from({ length: 60000 }, (_, i) => ({ i, name: `item ${i}`, list: [i, i + 1, i + 2] })));
const file = process.argv[2];
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const round = () => {
  const rounds = 20000;
  const start = performance.now();
  crypto.pbkdf2Sync('a', 'b', rounds, 64, 'sha512');
  return Math.ceil((rounds * 80) / (performance.now() - start));
};
const rounds = round();

const microtasks = () => {
  // Resolved ones run before the turn ends, so the truth is noted by the last of them.
  const end = performance.now() + 80;
  const more = () => performance.now() < end && Promise.resolve().then(more);
  more();
};

const timers = () => {
  for (let i = 0; i < 50; i++) setTimeout(busy, 20, 2);
};

const stalls = [
  ['busy', () => busy(80)],
  ['json', () => { for (let i = 0; i < 3; i++) JSON.parse(json); }],
  ['pbkdf2', () => crypto.pbkdf2Sync('a', 'b', rounds, 64, 'sha512')],
  ['read', () => { for (let i = 0; i < 8; i++) fs.readFileSync(file); }],
  ['exec', () => execSync('sleep 0.1')],
  ['spawn', () => spawnSync('sleep', ['0.1'])],
  ['wait', () => Atomics.wait(sleeper, 0, 0, 80)],
  ['microtasks', microtasks],
  ['timers', timers],
];
if (global.gc) stalls.splice(3, 0, ['gc', () => { for (let i = 0; i < 8; i++) global.gc(); }]);

fs.readFileSync(file);
run(stalls, () => setTimeout(write, 200));
