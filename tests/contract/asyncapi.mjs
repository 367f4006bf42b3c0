// Parses an AsyncAPI document with AsyncAPI's own parser. Errors and warnings fail; a recommendation is shown.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const [, , file, parser] = process.argv;
const { Parser } = createRequire(import.meta.url)(resolve(parser));
const { document, diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'));
for (const { severity, path, message } of diagnostics) {
  console.log(`severity ${severity} at /${path.join('/')}: ${message}`);
}
// 0 is an error and 1 a warning; below are recommendations, such as a newer version of AsyncAPI.
const failed = diagnostics.filter(({ severity }) => severity < 2).length;
if (!document) {
  console.log('asyncapi: the document cannot be parsed');
  process.exit(1);
}
const counts = [document.channels().length, document.operations().length, document.messages().length];
console.log(`asyncapi: ${counts.join(' + ')} passed, ${failed} failed (channels, operations, messages)`);
process.exit(failed === 0 && counts.every((count) => count > 0) ? 0 : 1);
