// The schema against the check: ajv, which editors use too, reads every configuration that the unit
// tests load, every shipped one, and a table of small ones that are wrong.
//
// What the check takes the schema must take. What the check refuses the schema refuses too, or the
// finding is of a sort that no schema sees (blind.mjs), each of which must occur.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {blind} from './blind.mjs';
import {documents} from './documents.mjs';
import {filesBelow, load, read, root} from './files.mjs';

const Ajv = load('ajv').default;
const YAML = load('yaml');

const kinds = {};
for (const name of ['rotary', 'resources']) {
  const printed = execFileSync(process.env.ROTARY_BIN, ['schema', name], {encoding: 'utf8'});
  // A list of types is plain JSON Schema; the rest of strict mode finds what is never asked.
  const ajv = new Ajv({strict: true, allowUnionTypes: true, allErrors: true});
  kinds[name] = ajv.compile(JSON.parse(printed));
}

// What the schema says against a text; nothing: it takes it. An empty document is none of a
// resource.
function refusals(schema, text) {
  const said = [];
  const documents = YAML.parseAllDocuments(text);
  for (const document of documents.length > 0 ? documents : [new YAML.Document(null)]) {
    said.push(...document.errors.map((one) => one.message));
    const value = document.errors.length === 0 ? document.toJS() : null;
    const isNone = value === null && (schema === 'resources' || document.errors.length > 0);
    if (!isNone && !kinds[schema](value)) {
      said.push(...kinds[schema].errors.map((one) => `${one.instancePath} ${one.message}`));
    }
  }
  return said;
}

const failures = [];
const used = new Set();
let compared = 0;
let seen = 0;

// findings are those of this text.
function compare({name, schema, text, findings}) {
  const said = refusals(schema, text);
  const errors = findings.filter((one) => one.severity === 'error');
  compared += 1;
  if (errors.length === 0 && said.length > 0) {
    failures.push(`${name}: the check takes it, the schema says ${said.slice(0, 4).join('; ')}`);
  }
  if (said.length > 0 && errors.length > 0) seen += 1;
  if (said.length > 0) return;
  for (const {path: place, message} of errors) {
    const reasons = blind.filter((one) => one.finding.test(`${place}: ${message}`));
    reasons.forEach((one) => used.add(one));
    if (reasons.length === 0) failures.push(`${name}: only the check says: ${place}: ${message}`);
  }
}

// --- what the unit tests load ------------------------------------------------------------------

const loads = fs.readdirSync(process.env.ROTARY_NOTED_LOADS);
for (const file of loads) {
  const note = JSON.parse(fs.readFileSync(path.join(process.env.ROTARY_NOTED_LOADS, file), 'utf8'));
  const of = (source) => note.findings.filter((one) => one.file === source.file);
  if (note.process.text !== '') {
    compare({name: note.test, schema: 'rotary', text: note.process.text, findings: of(note.process)});
  }
  for (const one of note.resources) {
    compare({name: note.test, schema: 'resources', text: one.text, findings: of(one)});
  }
}
if (loads.length < 400) failures.push(`the unit tests have noted ${loads.length} loads only`);

// --- what `rotary check` says of files ------------------------------------------------------------

const {CERTS: certs, SCRATCH: scratch} = process.env;
const environment = {
  PATH: process.env.PATH, CERTS: certs, ADMIN_PORT: '20001', GATEWAY_PORT: '20002',
  FIRST_PORT: '20003', SECOND_PORT: '20004', UPSTREAM_PORT: '20005', ISSUER: 'https://issuer.test',
  FIRST_KEY: 'sk-1', SECOND_KEY: 'sk-2', OPENAI_API_KEY: 'sk-3',
  OPENAI_BASE_URL: 'https://api.openai.test/v1', ROTARY_CLIENT: `sha256:${'a'.repeat(64)}`,
  ROTARY_ISSUER: 'https://issuer.test', ROTARY_JWKS_URL: 'https://issuer.test/keys',
  BENCH: path.join(root, 'bench'), QUOTA_PORT: '20006', REDIS_PORT: '20007', REQUESTS: '100',
  ROTARY_TLS_CERT: `${certs}/dev-server.crt`, ROTARY_TLS_KEY: `${certs}/dev-server.key`,
};

function check(file) {
  const command = [process.env.ROTARY_BIN, ['check', '-c', file, '--output', 'json']];
  try {
    return JSON.parse(execFileSync(...command, {encoding: 'utf8', env: environment, stdio: 'pipe'}));
  } catch (failure) {
    if (failure.status !== 1) throw failure;
    return JSON.parse(failure.stdout);
  }
}

// Every text that a configuration is made of, with what is found in it.
function compareFiles(name, process_file) {
  const report = check(process_file);
  const findings = report.findings ?? report;
  const of = (file) => findings.filter((one) => path.resolve(one.file) === path.resolve(file));
  const text = fs.readFileSync(process_file, 'utf8');
  compare({name, schema: 'rotary', text, findings: of(process_file)});
  const settings = YAML.parseDocument(text);
  for (const listed of (settings.errors.length === 0 && settings.toJS()?.resources) || []) {
    const place = path.resolve(path.dirname(process_file), listed);
    if (!fs.existsSync(place)) continue;
    const files = fs.statSync(place).isDirectory()
      ? fs.readdirSync(place).filter((file) => /\.ya?ml$/.test(file)).map((file) => path.join(place, file))
      : [place];
    for (const file of files) {
      compare({name: `${name}, ${path.basename(file)}`, schema: 'resources',
               text: fs.readFileSync(file, 'utf8'), findings: of(file)});
    }
  }
  return findings.filter((one) => one.severity === 'error');
}

function mustBeGood(name, file) {
  for (const one of compareFiles(name, file)) {
    failures.push(`${name}: ${one.file}:${one.line}: ${one.path}: ${one.message}`);
  }
}

let written = 0;
function writeProcess(text) {
  const folder = path.join(scratch, `case-${++written}`);
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'rotary.yaml'), text);
  return folder;
}

const listener = 'listeners: [{port: 9095, plaintext: true}]\n';

// --- every configuration of the repository -----------------------------------------------------

const shipped = ['config', 'tests/clients', 'bench'].flatMap((folder) => filesBelow(folder, '.yaml'))
  .filter((name) => /^listeners:/m.test(read(name)));
for (const name of shipped) mustBeGood(name, path.join(root, name));
if (shipped.length < 7) failures.push(`only ${shipped} was found`);

// Its keys are put there by who installs it.
compareFiles('deploy/package', path.join(root, 'deploy/package/rotary.yaml'));

// A sample of resources stands beside those that are shipped.
const samples = filesBelow('config/samples', '.yaml').filter((name) => /^apiVersion:/m.test(read(name)));
for (const name of samples) {
  const folder = writeProcess(
    `${listener}resources: [${root}/config/apis/, ${path.join(root, name)}]\n`);
  compareFiles(name, path.join(folder, 'rotary.yaml'));
}
if (samples.length < 2) failures.push(`only ${samples} was found`);

for (const name of filesBelow('tests/data/config', '.yaml')) {
  const folder = writeProcess(`${listener}resources: [${path.join(root, name)}]\n`);
  compareFiles(name, path.join(folder, 'rotary.yaml'));
}

execFileSync(process.env.ROTARY_BIN,
             ['init', '--dir', `${scratch}/made`, '--openai-key-from', 'env:OPENAI_API_KEY',
              '--model', 'gpt-4o=5', '--model', 'gpt-4o-mini=3'], {env: environment, stdio: 'pipe'});
mustBeGood('rotary init', `${scratch}/made/rotary.yaml`);

// --- small ones that are wrong ---------------------------------------------------------------------

for (const {name, process: settings, resources} of documents) {
  const folder = writeProcess(settings ?? `${listener}resources: [r.yaml]\n`);
  if (resources !== undefined) fs.writeFileSync(path.join(folder, 'r.yaml'), resources);
  const before = seen;
  if (compareFiles(name, path.join(folder, 'rotary.yaml')).length === 0) {
    failures.push(`${name}: the check takes it`);
  }
  if (seen === before) failures.push(`${name}: the schema takes it`);
}

for (const one of blind) {
  if (!used.has(one)) failures.push(`no text has the finding ${one.finding}: take it out`);
}
if (failures.length > 0) {
  console.error(failures.join('\n'));
  console.error(`${failures.length} of ${compared} texts are judged differently`);
  process.exit(1);
}
console.log(`${compared} texts: the schema refuses ${seen} of those that the check refuses`);
