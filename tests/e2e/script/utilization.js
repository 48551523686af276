// SPDX-License-Identifier: BSD-2-Clause
'use strict';
// A loop as busy as its name says, for two seconds, and what the runtime thinks of it.
const { execSync } = require('child_process');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const { busy, note, utilization, write } = require('./truth.js');

const SECONDS = 2;
const name = isMainThread ? process.argv[2] : workerData;
const end = performance.now() + SECONDS * 1000;

const loads = {
  idle: () => setTimeout(() => {}, SECONDS * 1000),
  half: () => {
    const step = () => {
      busy(5);
      if (performance.now() < end) setTimeout(step, 5);
    };
    setTimeout(step, 5);
  },
  busy: () => {
    const step = () => {
      busy(19);
      if (performance.now() < end) setTimeout(step, 1);
    };
    setTimeout(step, 1);
  },
  nested: () => {
    const step = () => {
      execSync('sleep 0.05');
      if (performance.now() < end) setTimeout(step, 50);
    };
    setTimeout(step, 50);
  },
  spin: () => {
    const step = () => {
      busy(0.2);
      if (performance.now() < end) setImmediate(step);
    };
    setImmediate(step);
  },
};

// The last turn: exit follows, and nothing that could be counted.
const last = () => {
  if (isMainThread) {
    utilization(name);
    write();
  } else {
    const elu = performance.eventLoopUtilization();
    parentPort.postMessage({ name, idle: Math.round(elu.idle * 1e6), active: Math.round(elu.active * 1e6) });
  }
};

if (isMainThread && name === 'workers') {
  let left = 2;
  for (const load of ['half', 'busy'])
    new Worker(__filename, { workerData: load }).on('message', (row) => {
      note(row);
      if (!--left) write();
    });
} else {
  loads[name]();
  setTimeout(last, SECONDS * 1000 + 100);
}
