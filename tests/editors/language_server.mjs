// What an editor shows of a configuration that is written in it: the real yaml-language-server, which
// VS Code's YAML extension, Neovim and others have, with the shipped schemas and settings.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {filesBelow, modeline, read, root, whereIs} from './files.mjs';
import {LanguageClient} from './language_client.mjs';

const program = path.resolve(path.dirname(whereIs('yaml-language-server')),
                             '../../../bin/yaml-language-server');
const on = {validate: true, hover: true, completion: true, schemaStore: {enable: false}};
const uriOf = (name) => pathToFileURL(path.join(root, name)).href;

let checks = 0;
async function start(yaml) {
  const client = new LanguageClient(program, {yaml: {...on, ...yaml}});
  await client.start(root);
  return client;
}

// --- by their modelines alone ----------------------------------------------------------------

const client = await start({});
const shipped = filesBelow('config', '.yaml');
const asking = shipped.filter((name) => modeline(name) !== null);
assert.ok(asking.includes('config/rotary.yaml') && asking.includes('config/apis/chat.yaml'), asking);
for (const name of asking) {
  assert.ok(fs.existsSync(path.join(root, modeline(name))), `${name} asks for ${modeline(name)}`);
  const text = read(name);
  assert.deepEqual(await client.open(uriOf(name), text), [], name);
  // And it is looked at: a key that there is not is found in its last document. Under another name
  // of the same folder, since closing a text tells of it once more.
  const typo = `${text.trimEnd()}\nmistaek: 1\n`;
  const said = await client.open(uriOf(name.replace('.yaml', '-typo.yaml')), typo);
  assert.deepEqual(said.map((one) => one.message), ['Property mistaek is not allowed.'], name);
  ++checks;
}

// Opens a text that has `|` where the cursor stands; its schema is that of the samples.
let opened = 0;
async function at(schema, marked, ask) {
  const text = `# yaml-language-server: $schema=schema/${schema}.json\n${marked.replace('|', '')}`;
  const before = text.slice(0, text.length - marked.length + 1 + marked.indexOf('|'));
  const lines = before.split('\n');
  const uri = uriOf(`config/unsaved-${++opened}.yaml`);
  const diagnostics = await client.open(uri, text);
  const position = {line: lines.length - 1, character: lines.at(-1).length};
  const answer = await ask({textDocument: {uri}, position}, diagnostics, text);
  ++checks;
  return answer;
}

// --- completion ----------------------------------------------------------------------------------

const completions = [
  ['rotary', '|\n', ['listeners', 'providers', 'apis', 'routing', 'limits', 'timeouts', 'tracing']],
  ['rotary', 'listeners:\n  - |\n', ['address', 'port', 'tls', 'plaintext']],
  ['rotary', 'routing:\n  |\n', ['max_attempts', 'on_all_suspended', 'retry_after']],
  ['rotary', 'routing:\n  on_all_suspended: |\n', ['reject', 'passthrough']],
  ['rotary', 'log:\n  access: |\n', ['json', 'text', 'off']],
  ['rotary', 'providers:\n  openai:\n    |\n', ['format', 'url', 'key', 'key_file']],
  ['rotary', 'providers:\n  openai:\n    format: |\n', ['openai']],
  ['rotary', 'apis:\n  - path: /v1\n    |\n', ['issuer', 'jwks', 'keys', 'production', 'sandbox']],
  ['rotary', 'apis:\n  - path: /v1\n    production:\n      - |\n',
   ['model', 'provider', 'weight', 'endpoints']],
  ['rotary', 'apis:\n  - path: /v1\n    sandbox:\n      |\n', ['hosts', 'models']],
  ['rotary', 'apis:\n  - path: /v1\n    endpoints:\n      - |\n', ['chat', 'embeddings', 'files']],
  ['resources', 'apiVersion: dp.wso2.com/v1alpha2\nkind: |\n', ['API', 'Backend', 'ConsumerKey']],
  ['resources', 'apiVersion: |\nkind: Backend\n', ['dp.wso2.com/v1alpha2']],
  ['resources', 'apiVersion: dp.wso2.com/v1alpha2\nkind: Backend\nspec:\n  |\n',
   ['services', 'basePath', 'protocol', 'tls', 'security', 'healthCheck']],
  ['resources', 'apiVersion: dp.wso2.com/v1alpha2\nkind: Backend\nspec:\n  protocol: |\n',
   ['http', 'https']],
  ['resources', 'apiVersion: rotary.dev/v1alpha1\nkind: Budget\nspec:\n  |\n',
   ['target', 'amount', 'period', 'onExceed']],
];
for (const [schema, marked, expected] of completions) {
  await at(schema, marked, async (place) => {
    const {items} = await client.request('textDocument/completion', place);
    const labels = items.map((one) => one.label.replace(/^"(.*)"$/, '$1'));
    const missing = expected.filter((one) => !labels.includes(one));
    assert.deepEqual(missing, [], `completion of ${JSON.stringify(marked)} has ${labels}`);
  });
}

// --- what is shown of a key -------------------------------------------------------------------

const hovers = [
  ['rotary', 'routing: {max_att|empts: 2}\n',
   ['tries for one request', 'Value: 1 to ', 'Default: 3']],
  ['rotary', 'limits: {body_by|tes: 2048}\n', [' to ', ' bytes.', 'Default: 10485760']],
  ['rotary', 'timeouts: {dr|ain: 3s}\n', ['Value: ', 's to ', 'Default: 30s']],
  ['rotary', 'routing: {retry_aft|er: extend}\n', ['Allowed Values', '`prefer`', 'Default: extend']],
  ['rotary', 'providers: {a: {ur|l: https://h.test, key: none}}\n', ['Its address']],
  ['resources', 'apiVersion: dp.wso2.com/v1alpha2\nkind: Backend\nmetadata: {name: b}\n' +
   'spec:\n  services: [{host: h, po|rt: 1}]\n  protocol: http\n', ['Its port.', 'Value: 1 to 65535']],
];
for (const [schema, marked, expected] of hovers) {
  await at(schema, marked, async (place) => {
    const {contents} = await client.request('textDocument/hover', place);
    // Markdown, in which a space may stand as an entity.
    const shown = contents.value.replaceAll('&nbsp;', ' ');
    for (const part of expected) assert.ok(shown.includes(part), `${part} is not in ${shown}`);
  });
}

// --- what is wrong, and where ---------------------------------------------------------------------

const listener = 'listeners: [{port: 9095, plaintext: true}]\n';
const mistakes = [
  ['rotary', `${listener}|routign: {}\n`, 'routign', /^Property routign is not allowed/],
  ['rotary', `${listener}limits: {|heders: 20}\n`, 'heders', /^Property heders is not allowed/],
  ['rotary', `${listener}limits: {headers: |2}\n`, '2', /below the minimum of 8/],
  ['rotary', `${listener}workers: |many\n`, 'many', /pattern/],
  ['rotary', `${listener}timeouts: {drain: |30sec}\n`, '30sec', /pattern/],
  ['rotary', `${listener}log: {level: |loud}\n`, 'loud', /Value is not accepted. Valid values: .*"info"/],
  ['rotary', `${listener}providers: {a: {|uri: x, url: "https://h.test", key: none}}\n`, 'uri',
   /^Property uri is not allowed/],
  ['rotary', `${listener}apis:\n- path: /v1\n  production: [{model: m, weight: |-1}]\n`, '-1',
   /below the minimum of 0/],
  ['resources', 'apiVersion: dp.wso2.com/v1alpha2\nkind: Backend\nmetadata: {name: b}\n' +
   'spec:\n  services: [{host: h, port: 1}]\n  |protocl: http\n', 'protocl',
   /^Property protocl is not allowed/],
  ['resources', 'apiVersion: dp.wso2.com/v1alpha2\nkind: Backend\nmetadata: {name: b}\n' +
   'spec:\n  services: [{host: h, port: |70000}]\n  protocol: http\n', '70000',
   /above the maximum of 65535/],
];
for (const [schema, marked, place, message] of mistakes) {
  await at(schema, marked, async ({position}, diagnostics) => {
    const said = JSON.stringify(diagnostics);
    assert.equal(diagnostics.length, 1, `${marked}: ${said}`);
    assert.match(diagnostics[0].message, message, marked);
    const end = {line: position.line, character: position.character + place.length};
    assert.deepEqual(diagnostics[0].range, {start: position, end}, `${marked}: ${said}`);
  });
}
assert.equal(await client.stop(), 0);

// --- by the settings of the folder ---------------------------------------------------------------

// Samples whose names they match need no modeline; a price list has no schema.
const settings = JSON.parse(read('.vscode/settings.json'));
const byName = await start({schemas: settings['yaml.schemas']});
for (const name of shipped) {
  const isOurs = /^(listeners|apiVersion):/m.test(read(name));
  const said = await byName.open(uriOf(name), `${read(name).replace(/^# yaml-lang.*\n/gm, '')}\nmistaek: 1\n`);
  const messages = said.map((one) => one.message);
  const found = messages.includes('Property mistaek is not allowed.');
  assert.equal(found, isOurs, `${name}: ${isOurs ? 'no glob of .vscode/settings.json' : 'a glob'} fits it`);
  ++checks;
}
assert.equal(await byName.stop(), 0);
console.log(`${checks} texts are shown, completed and judged as they should be`);
