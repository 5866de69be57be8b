// A language server as an editor has one: a child process, JSON-RPC over its standard streams
// (Language Server Protocol 3.17, base protocol).
import {spawn} from 'node:child_process';
import {pathToFileURL} from 'node:url';

export class LanguageClient {
  #child;
  #pending = new Map();
  #diagnostics = new Map();  // by URI: {version, items}
  #waiting = [];
  #received = Buffer.alloc(0);
  #next = 0;
  #settings;

  constructor(program, settings) {
    this.#settings = settings;
    this.#child = spawn(process.execPath, [program, '--stdio'], {stdio: ['pipe', 'pipe', 'inherit']});
    this.#child.stdout.on('data', (bytes) => this.#receive(bytes));
    this.ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.ended.then((code) => {
      for (const {reject} of this.#pending.values()) reject(new Error(`the server ended: ${code}`));
    });
  }

  async start(folder) {
    const uri = pathToFileURL(folder).href;
    const asked = await this.request('initialize', {
      processId: process.pid,
      rootUri: uri,
      workspaceFolders: [{uri, name: 'rotary'}],
      capabilities: {
        workspace: {configuration: true, workspaceFolders: true},
        textDocument: {
          hover: {contentFormat: ['markdown']},
          completion: {completionItem: {snippetSupport: true, documentationFormat: ['markdown']}},
          publishDiagnostics: {},
        },
      },
    });
    this.notify('initialized', {});
    this.notify('workspace/didChangeConfiguration', {settings: this.#settings});
    return asked.capabilities;
  }

  async stop() {
    await this.request('shutdown');
    this.notify('exit');
    return this.ended;
  }

  request(method, params) {
    const id = ++this.#next;
    this.#send({id, method, params});
    return new Promise((resolve, reject) => this.#pending.set(id, {resolve, reject}));
  }

  notify(method, params) { this.#send({method, params}); }

  // Opens a text under a name; what the server finds wrong in it, once it says so.
  open(uri, text) {
    this.notify('textDocument/didOpen',
                {textDocument: {uri, languageId: 'yaml', version: 1, text}});
    return this.diagnosed(uri);
  }

  diagnosed(uri) {
    if (this.#diagnostics.has(uri)) return Promise.resolve(this.#diagnostics.get(uri));
    return new Promise((resolve) => this.#waiting.push({uri, resolve}));
  }

  #send(message) {
    const body = JSON.stringify({jsonrpc: '2.0', ...message});
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  #receive(bytes) {
    this.#received = Buffer.concat([this.#received, bytes]);
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#received.toString('utf8', 0, end))[1]);
      if (this.#received.length < end + 4 + length) return;
      const body = this.#received.toString('utf8', end + 4, end + 4 + length);
      this.#received = this.#received.subarray(end + 4 + length);
      this.#take(JSON.parse(body));
    }
  }

  #take(message) {
    if (message.method === undefined) {
      const {resolve, reject} = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.error) reject(new Error(message.error.message));
      else resolve(message.result);
    } else if (message.method === 'textDocument/publishDiagnostics') {
      const {uri, diagnostics} = message.params;
      this.#diagnostics.set(uri, diagnostics);
      this.#waiting.filter((one) => one.uri === uri).forEach((one) => one.resolve(diagnostics));
      this.#waiting = this.#waiting.filter((one) => one.uri !== uri);
    } else if (message.id !== undefined) {
      this.#answer(message);
    }
  }

  // What the server asks of an editor.
  #answer({id, method, params}) {
    const result = method === 'workspace/configuration'
      ? params.items.map(({section}) => this.#settings[section] ?? null)
      : null;
    this.#send({id, result});
  }
}
