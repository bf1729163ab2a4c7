// Checks an AsyncAPI document by its parser, and its examples against their schemas; called by `run`
// beside it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [home, file] = process.argv.slice(2);
const require = createRequire(`${home}/`);
const { Parser } = require('@asyncapi/parser');
const { default: Ajv } = require('ajv/dist/2020');
const { default: formats } = require('ajv-formats');

const SEVERITY = ['error', 'warning', 'information', 'hint'];
// Findings of the parser that are no faults of the document, each with its reason. There are none.
const ARGUED = {};

const parser = new Parser();

/** What the parser has against a text, and what it read. */
async function parsed(text) {
  const { document, diagnostics } = await parser.parse(text, { source: resolve(file) });
  const faults = diagnostics
    .filter(({ code }) => !(code in ARGUED))
    .map(({ severity, code, path, message }) => `${SEVERITY[severity]} ${code} at ${path.join('.')}: ${message}`);
  if (!document && faults.length === 0) faults.push('it was not read, and nothing says why');
  return { document, faults };
}

/** A validator of 2020-12 for a schema as the parser resolved it. */
function validator(schema) {
  const ajv = new Ajv({ strict: false, allErrors: true });
  formats(ajv);
  return ajv.compile(schema);
}

/** Faults of a value. */
function faultsOf(what, schema, value) {
  const valid = validator(schema);
  if (valid(value)) return [];
  return valid.errors.map(({ instancePath, message }) => `${what}${instancePath} ${message}`);
}

/** Schemas of a message that has examples, with what must fit them. */
function* pairs(message) {
  const name = message.id();
  const key = message.bindings().get('kafka')?.json().key;
  for (const example of key?.examples ?? []) yield [`${name}, key`, key, example];
  const headers = message.headers()?.json();
  const payload = message.payload()?.json();
  for (const example of message.examples().all()) {
    const json = example.json();
    const what = `${name}, example ${example.name()}`;
    if (headers || 'headers' in json) yield [`${what}, headers`, headers ?? false, json.headers ?? null];
    yield [`${what}, payload`, payload ?? false, json.payload];
  }
}

/** Documents with one fault each, which must be refused. */
function planted(text) {
  const swap = (from, to) => {
    if (!text.includes(from)) throw new Error(`nothing to plant a fault in: ${from}`);
    return text.replace(from, to);
  };
  return {
    'an unknown field': swap('defaultContentType:', 'defaultContentTyp:'),
    'a reference to nothing': swap("'#/channels/alerts'", "'#/channels/alarms'"),
    'a schema that is not there': swap('./alert.v1.json', './alert.v9.json'),
    'a policy that is none': swap('cleanup.policy: [compact, delete]', 'cleanup.policy: [compact, keep]'),
    'a parameter that is not told': swap("'{prefix}.alerts.v1'", "'{prefix}.{kind}.v1'"),
  };
}

/** Changes of a message's example, none of which its schema may let pass. */
function spoiled(schema, value) {
  const others = [{ ...value, foreign: 1 }, 17];
  for (const key of schema.required ?? []) {
    const { [key]: _, ...rest } = value;
    others.push(rest);
  }
  return others.filter((other) => faultsOf('', schema, other).length === 0);
}

/** Group names of the operations, each with its schema. */
function* groups(document) {
  for (const operation of document.allOperations().all()) {
    const group = operation.bindings().get('kafka')?.json().groupId;
    for (const example of group?.examples ?? []) yield [`${operation.id()}, group`, group, example];
  }
}

async function main() {
  const text = readFileSync(file, 'utf8');
  for (const [what, other] of Object.entries(planted(text))) {
    if ((await parsed(other)).faults.length === 0) {
      console.error(`the parser accepts ${what}`);
      return 2;
    }
  }
  const { document, faults } = await parsed(text);
  const messages = document?.allMessages().all() ?? [];
  const checked = [...messages.flatMap((message) => [...pairs(message)]), ...(document ? groups(document) : [])];
  for (const [what, schema, value] of checked) {
    faults.push(...faultsOf(what, schema, value));
    const isClosed = schema.additionalProperties === false && schema.required?.length > 0;
    if (isClosed && spoiled(schema, value).length > 0) {
      console.error(`the validator accepts what is spoiled: ${what}`);
      return 2;
    }
  }
  faults.forEach((fault) => console.error(`${file}: ${fault}`));
  if (faults.length > 0) return 1;
  const channels = document.channels().all().length;
  console.log(`AsyncAPI ${document.version()}: ${channels} channels, ${checked.length} examples, no fault`);
  return checked.length > 0 ? 0 : 2;
}

process.exit(await main());
