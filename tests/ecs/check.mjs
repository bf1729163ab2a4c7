// Checks documents against the types of ECS by the compiler of TypeScript; called by `run` beside it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [home, ...files] = process.argv.slice(2);
const require = createRequire(`${home}/`);
const ts = require('typescript');

// What ECS has no field for stands under a name of our own, as ECS asks for.
const HEAD = `
import type { EcsBase, EcsEvent, EcsObserver, EcsOrganization, EcsRelated, EcsRule, EcsSource, EcsThreat,
  EcsUser } from '@elastic/ecs';
type Alert = EcsBase & {
  ecs: { version: string }; event: EcsEvent; rule: EcsRule; threat?: EcsThreat; user?: EcsUser;
  source?: EcsSource; related?: EcsRelated; observer: EcsObserver; organization: EcsOrganization;
  deskwarden: Record<string, unknown>;
};
export const alert: Alert = `;

// Words that types do not tell: the allowed values of the categorisation fields.
const CATEGORIES = {
  kind: ['alert'],
  category: ['iam'],
  type: ['admin', 'change', 'creation', 'deletion', 'group', 'info', 'user'],
};

/** What the compiler and the lists have against each document, in order. */
function faultsOf(documents) {
  const texts = new Map(documents.map((d, n) => [join(home, `alert-${n}.ts`), HEAD + JSON.stringify(d, null, 1)]));
  const options = { strict: true, noEmit: true, skipLibCheck: false, types: [], target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (name, version, ...rest) => texts.has(name)
    ? ts.createSourceFile(name, texts.get(name), version) : getSourceFile.call(host, name, version, ...rest);
  host.fileExists = (name) => texts.has(name) || fileExists.call(host, name);
  host.readFile = (name) => texts.get(name) ?? readFile.call(host, name);
  const found = ts.getPreEmitDiagnostics(ts.createProgram([...texts.keys()], options, host));
  return [...texts.keys()].map((name, n) => {
    const own = found.filter(({ file }) => !file || file.fileName === name || !texts.has(file.fileName));
    const faults = own.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
    for (const [field, allowed] of Object.entries(CATEGORIES)) {
      const values = [documents[n].event?.[field] ?? []].flat();
      const wrong = values.filter((value) => !allowed.includes(value));
      if (values.length === 0 || wrong.length > 0) faults.push(`event.${field}: ${wrong.join() || 'missing'}`);
    }
    return faults;
  });
}

/** The documents of a file of golden messages: each behind a line `== name`. */
function documentsOf(file) {
  const parts = readFileSync(file, 'utf8').split(/^== (.*)$/m).slice(1);
  const documents = [];
  for (let n = 0; n < parts.length; n += 2) documents.push([parts[n], JSON.parse(parts[n + 1])]);
  return documents;
}

const documents = files.flatMap(documentsOf);
if (documents.length === 0) {
  console.error('tests/ecs/run: there is no document');
  process.exit(2);
}

const [, right] = documents[0];
const planted = [
  ['a field that ECS does not have', { ...right, event: { ...right.event, urgency: 1 } }],
  ['a score that is a text', { ...right, event: { ...right.event, risk_score: '97' } }],
  ['a set that ECS does not have', { ...right, victim: { id: 'T' } }],
  ['a category of something else', { ...right, event: { ...right.event, type: ['takeover'] } }],
  ['a technique in the wrong place', { ...right, threat: { technique_id: ['T1078'] } }],
];
const missed = faultsOf(planted.map(([, document]) => document))
  .flatMap((faults, n) => (faults.length === 0 ? [planted[n][0]] : []));
if (missed.length > 0) {
  console.error(`tests/ecs/run: not refused: ${missed.join('; ')}`);
  process.exit(2);
}

const faults = faultsOf(documents.map(([, document]) => document));
documents.forEach(([name], n) => faults[n].forEach((fault) => console.error(`${name}: ${fault}`)));
const wrong = faults.filter((list) => list.length > 0).length;
console.log(`${documents.length} documents, ${planted.length} planted faults refused, ${wrong} wrong`);
process.exit(wrong > 0 ? 1 : 0);
