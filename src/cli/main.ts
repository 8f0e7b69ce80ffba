import { readEnvironment } from '../server/config.ts';
import { runCli } from './cli.ts';
import { usualWidth, widthOf } from './width.ts';

const { stdout, stderr } = process;

// A reader that stops reading (`wherefrom … | head`) is no fault.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const environment = readEnvironment();
process.exitCode = await runCli(process.argv.slice(2), {
  out: (text) => void stdout.write(`${text}\n`),
  err: (text) => void stderr.write(`${text}\n`),
  status: stderr.isTTY
    ? (text) =>
        void stderr.write(
          `\r\u001B[2K${text.slice(0, Math.max(0, (widthOf(stderr) ?? usualWidth) - 1))}`,
        )
    : undefined,
  color: stdout.isTTY === true && stdout.hasColors(),
  errorColor: stderr.isTTY === true && stderr.hasColors(),
  width: widthOf(stdout),
  environment,
});
