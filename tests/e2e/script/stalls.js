// SPDX-License-Identifier: BSD-2-Clause
'use strict';
// stalls.js CACHED COLD FIFO: one stall of each kind that a Node program brings upon itself.
const crypto = require('crypto');
const fs = require('fs');
const { execSync, spawn, spawnSync } = require('child_process');
const { Worker } = require('worker_threads');
const { busy, look, note, run, since, timed, write } = require('./truth.js');

const LENGTH = 80; // ms
const [cached, cold, fifo] = process.argv.slice(2);
const json = JSON.stringify(Array.from({ length: 60000 }, (_, i) => ({ i, name: `item ${i}`, list: [i, i + 1, i + 2] })));
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const round = () => {
  const rounds = 20000;
  const start = performance.now();
  crypto.pbkdf2Sync('a', 'b', rounds, 64, 'sha512');
  return Math.ceil((rounds * LENGTH) / (performance.now() - start));
};
const rounds = round();

// A thread that waits to be asked (cell 1), and after a while does one of two things: wakes who waits on cell 0, or reads.
const cells = new Int32Array(new SharedArrayBuffer(16));
const helper = new Worker(`
  const { workerData: { cells, fifo, length } } = require('worker_threads');
  const fs = require('fs');
  for (const ask of [1, 2]) {
    Atomics.wait(cells, 1, ask - 1);
    Atomics.wait(cells, 2, 0, length);
    if (ask === 1) {
      Atomics.store(cells, 0, 1);
      Atomics.notify(cells, 0);
    } else {
      const fd = fs.openSync(fifo, 'r+');
      for (let left = 200000; left > 0;) left -= fs.readSync(fd, Buffer.alloc(65536));
    }
  }`, { eval: true, workerData: { cells, fifo, length: LENGTH } });

const ask = (what) => {
  Atomics.store(cells, 1, what);
  Atomics.notify(cells, 1);
};

const notified = () => {
  ask(1);
  Atomics.wait(cells, 0, 0);
};

const pipe = () => {
  const fd = fs.openSync(fifo, 'r+');
  ask(2);
  fs.writeSync(fd, Buffer.alloc(200000));
};

const sync = () => {
  const fd = fs.openSync(cold + '.new', 'w');
  fs.writeSync(fd, Buffer.alloc(32 << 20, 'x'));
  fs.fsyncSync(fd);
};

// What ends later than the function that begins it, notes itself when it has ended.
const begin = (name) => {
  const before = look(), start = process.hrtime.bigint();
  return () => note({ name, start, length: process.hrtime.bigint() - start, ...since(before) });
};

const microtasks = () => {
  const over = begin('microtasks'), end = performance.now() + LENGTH;
  const more = () => (performance.now() < end ? Promise.resolve().then(more) : over());
  more();
};

const timers = () => {
  let left = 50, over;
  const one = () => {
    over ||= begin('timers');
    busy(2);
    if (!--left) over();
  };
  const due = performance.now() + 20;
  while (left--) setTimeout(one, 20);
  left = 50;
  // They are due at once, however long it took to start them.
  while (performance.now() < due);
};

const immediates = () => {
  const end = performance.now() + 3 * LENGTH;
  const one = () => {
    busy(1);
    if (performance.now() < end) setImmediate(one);
  };
  setImmediate(one);
};

process.on('SIGUSR2', () => timed('handler', () => busy(LENGTH)));

const stalls = [
  ['busy', () => busy(LENGTH)],
  ['json', () => { for (let i = 0; i < 3; i++) JSON.parse(json); }],
  ['gc', () => { for (let i = 0; i < 8; i++) global.gc(); }],
  ['pbkdf2', () => crypto.pbkdf2Sync('a', 'b', rounds, 64, 'sha512')],
  ['read', () => { for (let i = 0; i < 8; i++) fs.readFileSync(cached); }],
  ['read_cold', () => fs.readFileSync(cold)],
  ['fsync', sync],
  ['exec', () => execSync('sleep 0.1')],
  ['spawnSync', () => spawnSync('sleep', ['0.1'])],
  ['wait', () => Atomics.wait(sleeper, 0, 0, LENGTH)],
  ['notified', notified],
  ['pipe', pipe],
  ['-', () => { process.nextTick(microtasks); }],
  ['-', timers],
  ['-', () => process.kill(process.pid, 'SIGUSR2')],
  ['immediates', immediates],
];

let ballast;
const big = () => {
  ballast = Buffer.alloc(2 ** 30, 1);
  run([['spawn', () => spawn('true')]], () => setTimeout(() => { write(); process.exit(); }, 200));
};

fs.readFileSync(cached);
run(stalls, () => setTimeout(big, 600));
