// Small documents that check and schema both refuse: a mistake each, of the kinds that are made.
const listener = 'listeners: [{port: 9095, plaintext: true}]\n';
const hash = `sha256:${'a'.repeat(64)}`;
const providers = 'providers: {openai: {url: https://api.openai.com/v1, key: sk-1}}\n';
const api = (more) => `${listener}${providers}apis:\n- {path: /v1, keys: {t: "${hash}"}, ${more}}\n`;

const settings = [
  ['an unknown key', `${listener}wrokers: 2\n`],
  ['an unknown key of a group', `${listener}routing: {max_atempts: 2}\n`],
  ['no listeners', 'workers: 2\n'],
  ['listeners that are a mapping', 'listeners: {port: 9095, plaintext: true}\n'],
  ['a text for a number', `${listener}workers: two\n`],
  ['a fraction for a whole number', `${listener}workers: 1.5\n`],
  ['a number that is too large', `${listener}workers: 1025\n`],
  ['a number that is too small', `${listener}limits: {headers: 0}\n`],
  ['a size with its unit', `${listener}limits: {body_bytes: 10MiB}\n`],
  ['a text for a flag', `${listener}watch: yes\n`],
  ['a name that is none of those there are', `${listener}log: {level: loud}\n`],
  ['a duration of an unknown unit', `${listener}timeouts: {drain: 30sec}\n`],
  ['a negative duration', `${listener}timeouts: {drain: -1}\n`],
  ['a duration that is too long', `${listener}timeouts: {log_flush: 7200}\n`],
  ['a duration that is too short', `${listener}timeouts: {log_flush: 0}\n`],
  ['a list for a text', `${listener}log: {level: [info]}\n`],
  ['a port above all ports', 'listeners: [{port: 70000, plaintext: true}]\n'],
  ['a key that is there twice', `${listener}workers: 1\nworkers: 2\n`],
  ['a bracket that stays open', `${listener}resolvers: [\n`],
  ['a list in place of settings', '- a\n'],
];

const short = [
  ['an unknown field of a provider', `${listener}providers: {a: {uri: x, url: https://h.test, key: k}}\n`],
  ['a provider without a URL', `${listener}providers: {a: {key: k}}\n`],
  ['a provider that is a text', `${listener}providers: {a: https://h.test}\n`],
  ['a provider without a name that may be', `${listener}providers: {A_B: {url: https://h.test, key: k}}\n`],
  ['a format that is not known', `${listener}providers: {a: {format: opnai, url: https://h.test, key: k}}\n`],
  ['an API without a path', `${listener}${providers}apis: [{production: [{model: m}]}]\n`],
  ['an API without models', api('suspend_seconds: 1')],
  ['an empty list of models', api('production: []')],
  ['an unknown field of an API', api('productoin: [], production: [{model: m}]')],
  ['a model without a name', api('production: [{weight: 1}]')],
  ['a negative weight', api('production: [{model: m, weight: -1}]')],
  ['a weight with a fraction', api('production: [{model: m, weight: 0.5}]')],
  ['an endpoint that is not known', api('production: [{model: m, endpoints: [embedings]}]')],
  ['seconds with a unit', api('suspend_seconds: 60s, production: [{model: m}]')],
  ['keys without a consumer', `${listener}${providers}apis:\n- {path: /v1, keys: {}, production: [{model: m}]}\n`],
  ['a list of APIs that is none', `${listener}${providers}apis: {path: /v1}\n`],
];

const backend = (spec) =>
  `apiVersion: dp.wso2.com/v1alpha2\nkind: Backend\nmetadata: {name: b}\nspec: ${spec}\n`;
const api_object = (spec) =>
  `apiVersion: dp.wso2.com/v1alpha3\nkind: API\nmetadata: {name: a}\nspec: ${spec}\n`;
const good_api = 'apiName: a, apiType: REST, apiVersion: "1.0", basePath: /a/1.0, organization: o';

const resources = [
  ['a kind without its version', 'kind: Backend\nmetadata: {name: b}\nspec: {}\n'],
  ['a version that there is not', backend('{services: [{host: h, port: 1}], protocol: http}')
    .replace('v1alpha2', 'v1alpha9')],
  ['an object without a name', backend('{services: [{host: h, port: 1}], protocol: http}')
    .replace('{name: b}', '{}')],
  ['a name in capitals', backend('{services: [{host: h, port: 1}], protocol: http}')
    .replace('name: b', 'name: B_1')],
  ['an unknown field of a Backend', backend('{services: [{host: h, port: 1}], protocl: http}')],
  ['a Backend without services', backend('{protocol: http}')],
  ['two services', backend('{services: [{host: h, port: 1}, {host: i, port: 2}], protocol: http}')],
  ['a service without a port', backend('{services: [{host: h}], protocol: http}')],
  ['a protocol that is not known', backend('{services: [{host: h, port: 1}], protocol: htpps}')],
  ['a port of zero', backend('{services: [{host: h, port: 0}], protocol: http}')],
  ['a spec that is a list', backend('[]')],
  ['an API of an unknown type', api_object(`{${good_api.replace('REST', 'SOAP')}}`)],
  ['a flag that is a word', api_object(`{${good_api}, isDefaultVersion: maybe}`)],
  ['a consumer without a name',
   `apiVersion: rotary.dev/v1alpha1\nkind: ConsumerKey\nmetadata: {name: k}\nspec: {keys: [{hash: "${hash}"}]}\n`],
];

export const documents = [
  ...[...settings, ...short].map(([name, process]) => ({name, process})),
  ...resources.map(([name, text]) => ({name, resources: text})),
];
