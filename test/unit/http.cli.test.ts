import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../src/gateway/cli.ts';

describe('the command line', () => {
  it('starts with the documented defaults', () => {
    expect(parseCommand([], '/home/me')).toEqual({
      kind: 'start',
      start: {
        port: 4747,
        portIsExplicit: false,
        host: '127.0.0.1',
        allowHosts: [],
        data: undefined,
        roots: [],
        base: '/home/me',
        settings: undefined,
        open: false,
        logLevel: 'info',
      },
    });
  });

  it('takes every flag; relative paths are meant from the directory of the start', () => {
    const args =
      '--port 0 --data d --root a --root=/b --settings s.json --host 0.0.0.0 --allow-host box.local --allow-host [fd00::1]:80 --open --log debug';
    expect(parseCommand(args.split(' '), '/home/me')).toMatchObject({
      kind: 'start',
      start: {
        port: 0,
        portIsExplicit: true,
        host: '0.0.0.0',
        allowHosts: ['box.local', '[fd00::1]:80'],
        data: '/home/me/d',
        roots: ['/home/me/a', '/b'],
        settings: '/home/me/s.json',
        open: true,
        logLevel: 'debug',
      },
    });
    expect(parseCommand(['-h'], '/')).toEqual({ kind: 'help' });
    expect(parseCommand(['--version'], '/')).toEqual({ kind: 'version' });
  });

  it.each([
    [['--port', 'x'], '--port takes a number'],
    [['--port', '65536'], '--port takes a number'],
    [['--port', ''], '--port takes a number'],
    [['--port', '-1'], '--port'],
    [['--port'], '--port'],
    [['--prot', '1'], '--prot'],
    [['start'], 'start'],
    [['--data', ''], '--data is empty'],
    [['--root', ''], '--root is empty'],
    [['--log', 'loud'], '--log takes one of'],
    [['--allow-host', 'http://x/'], '--allow-host takes a name'],
    [['--open=yes'], '--open'],
  ])('refuses %j with a sentence that names it', (args, part) => {
    expect(parseCommand(args, '/')).toEqual({ kind: 'wrong', message: expect.stringContaining(part) });
  });
});
