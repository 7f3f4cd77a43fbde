'use strict';

// What only shows from outside: when the process ends, what its end still sends, errors that nobody
// hears, worker threads and clusters. Every program runs with Node's dgram and with ours.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const register = path.join(__dirname, '..', '..', 'dist', 'register.js');

/** Runs a program's text to its end; resolves with its exit code, its output, and its error's line. */
function play(program, preload) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'dgram-'));
  const file = path.join(directory, 'program.js');
  fs.writeFileSync(file, `const dgram = require('dgram');\n(${program})(dgram);\n`);
  const env = {
    ...process.env,
    NODE_OPTIONS: preload ? `--require ${JSON.stringify(register)}` : ''
  };
  const child = spawn(process.execPath, [file], { env, timeout: 20_000 });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      fs.rmSync(directory, { recursive: true, force: true });
      const error = output.stderr.split('\n').find((line) => /^\w*Error\b/.test(line)) ?? '';
      resolve({ code, signal, log: output.stdout.split('\n').filter(Boolean), error });
    });
  });
}

/** Declares that a program ends as it does with Node's dgram, which must be as `expected` says. */
function same(sentence, program, expected) {
  test(sentence, async () => {
    const [node, own] = await Promise.all([play(program, false), play(program, true)]);
    expect(node).toMatchObject(expected);
    expect(own).toEqual(node);
  });
}

same(
  'an unbound socket does not keep the process',
  (dgram) => {
    dgram.createSocket('udp4');
    process.on('exit', () => console.log('exit'));
  },
  { code: 0, log: ['exit'] }
);

same(
  'a bound socket that is unref does not keep the process',
  (dgram) => {
    dgram
      .createSocket('udp4')
      .bind(0, () => console.log('bound'))
      .unref();
  },
  { code: 0, log: ['bound'] }
);

same(
  'a bound socket keeps the process until it is closed, and ref undoes unref',
  (dgram) => {
    const socket = dgram.createSocket('udp4');
    socket.unref().ref();
    socket.on('close', () => console.log('close'));
    socket.bind(0, () => setTimeout(() => socket.close(), 50).unref());
  },
  { code: 0, log: ['close'] }
);

same(
  'an unref socket still sends what it was given last',
  (dgram) => {
    const receiver = dgram.createSocket('udp4', (message) => {
      console.log(String(message));
      receiver.close();
    });
    receiver.bind(0, () => {
      const sender = dgram.createSocket('udp4');
      sender.bind(0, () => sender.unref().send('last words', receiver.address().port));
    });
  },
  { code: 0, log: ['last words'] }
);

same(
  'an error that nobody hears ends the process',
  (dgram) => {
    dgram.createSocket('udp4').bind(0, '1.1.1.1');
  },
  { code: 1, error: expect.stringContaining('bind EADDRNOTAVAIL 1.1.1.1') }
);

same(
  'an error that only a callback of bind could hear ends the process, since Node 24',
  (dgram) => {
    dgram.createSocket('udp4').bind(0, '1.1.1.1', () => console.log('bound'));
  },
  Number(process.versions.node.split('.')[0]) >= 24
    ? { code: 1, error: expect.stringContaining('bind EADDRNOTAVAIL 1.1.1.1') }
    : { code: 0, log: [], error: '' }
);

same(
  'an exception in a message handler is an uncaught one, and the next message comes',
  (dgram) => {
    process.on('uncaughtException', (error) => console.log(error.message));
    let count = 0;
    const receiver = dgram.createSocket('udp4', (message) => {
      if (++count === 3) receiver.close();
      throw new Error(`of ${message}`);
    });
    receiver.bind(0, () => {
      const sender = dgram.createSocket('udp4');
      for (const text of ['one', 'two', 'three']) sender.send(text, receiver.address().port);
      sender.unref();
    });
  },
  { code: 0, log: ['of one', 'of two', 'of three'] }
);

same(
  'process.exit() sends what was queued before it',
  (dgram) => {
    const { fork } = require('child_process');
    if (process.argv[2]) {
      const sender = dgram.createSocket('udp4');
      sender.connect(Number(process.argv[2]), () => {
        sender.send('queued');
        process.on('exit', () => sender.send('at the exit'));
        process.exit();
      });
      return;
    }
    const seen = [];
    const receiver = dgram.createSocket('udp4', (message) => {
      seen.push(String(message));
      if (seen.length < 2) return;
      console.log(seen.join());
      receiver.close();
    });
    receiver.bind(0, () => fork(__filename, [String(receiver.address().port)]));
  },
  { code: 0, log: ['queued,at the exit'] }
);

same(
  'worker threads have sockets of their own, and end with them open',
  (dgram) => {
    const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
    if (!isMainThread) {
      const socket = dgram.createSocket('udp4', () => parentPort.postMessage('heard'));
      socket.bind(0, '127.0.0.1', () =>
        socket.send('to itself', socket.address().port, '127.0.0.1')
      );
      return workerData;
    }
    let ended = 0;
    for (let i = 0; i < 4; i++) {
      const worker = new Worker(__filename, { workerData: i });
      worker.on('message', (text) =>
        worker.terminate().then(() => {
          console.log(text);
          if (++ended === 4) console.log('all ended');
        })
      );
    }
  },
  { code: 0, log: ['heard', 'heard', 'heard', 'heard', 'all ended'] }
);

same(
  'workers of a cluster share one port, unless they want it for themselves',
  (dgram) => {
    const cluster = require('cluster');
    const log = [];
    if (cluster.isPrimary) {
      const sender = dgram.createSocket('udp4');
      const ports = new Set();
      let listening = 0;
      for (let i = 0; i < 2; i++) {
        cluster.fork().on('message', (what) => {
          log.push(what);
          if (log.length === 4) {
            console.log(log.sort().join());
            for (const worker of Object.values(cluster.workers)) worker.disconnect();
            sender.close();
          }
        });
      }
      cluster.on('listening', (worker, { port, addressType }) => {
        ports.add(port);
        if (++listening < 2) return;
        console.log(addressType, ports.size, 'port');
        const [shared] = ports;
        const timer = setInterval(() => sender.send('x', shared, '127.0.0.1'), 2);
        sender.on('close', () => clearInterval(timer));
      });
      return;
    }
    const socket = dgram.createSocket('udp4');
    socket.once('message', () => process.send('heard'));
    socket.bind(0, () => {
      const taken = dgram.createSocket('udp4');
      taken.on('error', (error) => process.send(error.code));
      taken.bind({ port: socket.address().port, exclusive: true });
    });
  },
  { code: 0, log: ['udp4 1 port', 'EADDRINUSE,EADDRINUSE,heard,heard'] }
);

same(
  'a descriptor that is no UDP socket is refused',
  (dgram) => {
    const socket = dgram.createSocket('udp4');
    for (const fd of [1, 5000]) {
      try {
        dgram.createSocket('udp4').bind({ fd });
      } catch ({ code, message }) {
        console.log(code, message.replace(/: \w+$/, ''));
      }
    }
    socket.bind(0, () => socket.close());
  },
  {
    code: 0,
    log: ['ERR_INVALID_FD_TYPE Unsupported fd type', 'ERR_INVALID_FD_TYPE Unsupported fd type']
  }
);
