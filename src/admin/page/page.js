'use strict';
// One file, no library. What comes from the API is put into the page as text only.
const kFew = 12;  // requests, until all are asked for
const $ = (id) => document.getElementById(id);
const kSvg = 'http://www.w3.org/2000/svg';
let token = sessionStorage.getItem('rotary-token') || '';
let models = [], requests = [], filter = 'all', opened = new Set(), asking = '';
let most = kFew;
const history = new Map();  // of an entry's requests, a number a second

function h(tag, attributes, ...children) {
  const isSvg = ['svg', 'rect', 'polyline'].includes(tag);
  const node = isSvg ? document.createElementNS(kSvg, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === 'onclick') node.addEventListener('click', value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
  return node;
}
const cell = (label, attributes, ...children) => h('td', { 'data-label': label, ...attributes }, ...children);
const count = (n) => Number(n || 0).toLocaleString('en-US');
const short = (n) => n >= 1e6 ? (n / 1e6).toFixed(1) + 'M' : n >= 1e4 ? (n / 1e3).toFixed(1) + 'k' : count(n);
const ms = (n) => !n ? '–' : n >= 10000 ? (n / 1000).toFixed(1) + ' s' : n >= 100 ? Math.round(n) + ' ms' : n.toFixed(1) + ' ms';
const brief = (n) => n >= 10000 ? (n / 1000).toFixed(0) + ' s' : n >= 1000 ? (n / 1000).toFixed(1) + ' s' : Math.round(n) + ' ms';
const pair = (p50, p95) => p95 ? brief(p50) + ' · ' + brief(p95) : '–';
const us = (n) => !n ? '–' : n >= 10000 ? (n / 1000).toFixed(0) + ' ms' : n >= 1000 ? (n / 1000).toFixed(1) + ' ms' : n + ' µs';
const money = (nd) => nd === undefined ? '–' : (nd / 1e9).toFixed(nd && nd < 1e7 ? 6 : 2);
const percent = (x) => (100 * x).toFixed(1) + ' %';
const span = (s) => s < 90 ? s + ' s' : s < 5400 ? Math.round(s / 60) + ' min' : s < 172800 ? Math.round(s / 3600) + ' h' : Math.round(s / 86400) + ' d';
const clock = (time) => new Date(time).toLocaleTimeString('en-GB');
const day = (text) => new Date(text) - Date.now() < 72e6 ? clock(text) : new Date(text).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
const time = (text) => h('time', { datetime: text, title: text }, clock(text));

async function ask(path, options = {}) {
  const headers = token ? { Authorization: 'Bearer ' + token } : {};
  const answer = await fetch(path, { ...options, headers, cache: 'no-store' });
  if (answer.status === 401 || answer.status === 403) signIn(answer.status === 403 && token);
  if (!answer.ok) throw new Error(path + ': ' + answer.status);
  return answer;
}
const read = async (path) => (await ask(path)).json();

function signIn(wrong) {
  $('sign-in').hidden = false;
  if (wrong) $('sign-in-note').textContent = 'That is not the token.';
}
$('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  token = $('token').value.trim();
  sessionStorage.setItem('rotary-token', token);
  $('sign-in').hidden = true;
  poll();
  listen();
});

function fleetTile(f, tile) {
  const why = 'Redis ' + f.redis + (f.last_error ? ': ' + f.last_error : '');
  if (f.state === 'connected') return tile('Replicas', h('span', { title: why }, f.replicas + ' · Redis connected · ' + f.leases + ' leases' + (f.cost_today_nd ? ' · cost today ' + money(f.cost_today_nd) : '')));
  return tile('Redis', h('span', { class: 'chip bad', title: why }, f.state + ' since ' + f.since.slice(11, 19) + ' UTC · on its own'));
}

function showStatus(s) {
  const text = s.draining ? 'draining' : s.ready ? 'ready' : 'not ready';
  $('state').textContent = text;
  $('state').className = s.ready ? 'chip' : 'chip bad';
  $('banner').hidden = s.last_reload_ok !== false;
  $('banner-text').textContent = s.last_reload_ok === false ? s.last_reload.replace(/^failed: /, '') : '';
  const tile = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));
  const waiting = s.waiting_for_restart.length;
  $('strip').replaceChildren(
    tile('Requests/s', s.requests_per_second.toFixed(1)), tile('In flight', count(s.in_flight)),
    tile('Overhead p50', us(s.overhead_p50_us)), tile('Overhead p99', us(s.overhead_p99_us)),
    tile('4xx', s.client_errors_percent.toFixed(1) + ' %'), tile('5xx', s.server_errors_percent.toFixed(1) + ' %'),
    tile('Configuration', '#' + s.generation + ' · ' + span(s.config_age_seconds)), tile('Up', span(s.uptime_seconds)),
    ...(s.fleet ? [fleetTile(s.fleet, tile)] : []),
    ...s.certificates.filter((c) => c.days_left < 30).map((c) => tile('Certificate of ' + c.listener,
      h('span', { class: c.days_left < 7 ? 'chip bad' : 'chip warn', title: c.ends }, c.days_left < 0 ? 'ended' : c.days_left + ' d left'))),
    ...(waiting ? [tile('Wait for a restart', s.waiting_for_restart.join(', '))] : []));
}

function bar(share, due) {
  const width = Math.max(0, Math.min(1, share)) * 100;
  return h('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    h('rect', { class: 'back', width: 100, height: 10 }),
    h('rect', { class: due === undefined && share >= 0.9 ? 'over' : 'part', width, height: 10 }),
    due === undefined ? null : h('rect', { class: 'due', x: Math.min(99, due * 100), width: 0.8, height: 10 }));
}

function spark(id) {
  const seen = history.get(id) || [];
  const most = Math.max(1, ...seen);
  const points = seen.map((n, i) => (60 - seen.length + i) + ',' + (15 - 14 * n / most).toFixed(1)).join(' ');
  return h('svg', { class: 'spark', viewBox: '0 0 60 16', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, h('polyline', { points }));
}

let remembered = 0;
function remember(list) {
  const due = Date.now() - remembered >= 900;
  if (due) remembered = Date.now();
  for (const m of list) {
    const before = models.find((x) => x.id === m.id);
    const seen = history.get(m.id) || [];
    if (before && due) seen.push(Math.max(0, m.requests - before.requests));
    history.set(m.id, seen.slice(-60));
    m.until_at = Date.now() + 1000 * (m.seconds_left || 0);
  }
}

const left = (m) => Math.max(0, Math.ceil((m.until_at - Date.now()) / 1000));
function standing(m) {
  if (m.state === 'active') return [h('span', { class: 'chip' }, 'active')];
  if (m.state === 'returning') return [h('span', { class: 'chip warn' }, 'returning'), h('span', { class: 'why' }, m.reason)];
  return [h('span', { class: 'chip bad' }, 'suspended ', h('span', { 'data-id': m.id, class: 'count' }, span(left(m)))), h('span', { class: 'why' }, m.reason)];
}

// Suspending wants a second click within five seconds.
async function change(m, what) {
  if (what === 'suspend' && asking !== m.id) {
    asking = m.id;
    setTimeout(() => { if (asking === m.id) { asking = ''; showModels(models); } }, 5000);
    return showModels(models);
  }
  asking = '';
  await ask('api/v1/models/' + encodeURIComponent(m.id) + '/' + what, { method: 'POST' }).catch(() => {});
  poll();
}

function limitsOf(m) {
  if (!m.limits.length) return h('span', { class: 'soft' }, '–');
  return m.limits.map((l) => h('div', { class: 'share', title: l.policy },
    bar(1 - l.remaining / Math.max(1, l.limit)), h('span', {}, short(l.remaining) + ' ' + l.counts)));
}

function row(m, sum) {
  const due = sum ? m.weight / sum : 0;
  const out = m.state !== 'active';
  const sure = asking === m.id;
  return h('tr', { 'data-entry': m.id },
    cell('Model', { class: 'name', title: m.model }, m.model), cell('Backend', { class: 'soft' }, m.backend, h('span', { class: 'why' }, m.host)),
    cell('Share (weight)', { class: 'wide' }, h('div', { class: 'share' }, bar(m.share, due), h('span', {}, percent(m.share) + ' ', h('span', { class: 'key', title: 'weight, and the share that is due' }, m.weight + ' · ' + percent(due))))),
    cell('State', {}, standing(m)), cell('Requests', { class: 'number' }, spark(m.id), count(m.requests)),
    cell('Answers in', { class: 'number' }, pair(m.latency_p50_ms, m.latency_p95_ms), m.ttft_p95_ms ? h('span', { class: 'why', title: 'of streams, to the first token' }, 'first token ' + pair(m.ttft_p50_ms, m.ttft_p95_ms)) : null),
    cell('Tokens/min', { class: 'number' }, short(m.tokens_per_minute)), cell('Left of limits', {}, limitsOf(m)),
    cell('', {}, h('button', { type: 'button', 'data-key': m.id, class: sure ? 'sure' : false, 'aria-label': (out ? 'Resume ' : sure ? 'Suspend now: ' : 'Suspend ') + m.model + ' at ' + m.backend, onclick: () => change(m, out ? 'resume' : 'suspend') },
      out ? 'Resume' : sure ? 'Sure?' : 'Suspend')));
}

function showModels(list) {
  models = list;
  const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.key : undefined;
  const groups = Map.groupBy ? Map.groupBy(list, (m) => m.api + ' · ' + m.env) : list.reduce((all, m) => {
    const key = m.api + ' · ' + m.env;
    return all.set(key, [...(all.get(key) || []), m]);
  }, new Map());
  const bodies = [...groups].map(([name, group]) => {
    const sum = group.reduce((total, m) => total + m.weight, 0);
    return h('tbody', {}, h('tr', {}, h('th', { class: 'group', colspan: 9, scope: 'rowgroup' }, name, ' ', h('span', { class: 'key' }, group[0].policy))), group.map((m) => row(m, sum)));
  });
  const table = $('models');
  for (const body of [...table.tBodies]) body.remove();
  table.append(...(bodies.length ? bodies : [h('tbody', {}, h('tr', {}, h('td', { colspan: 9, class: 'nothing' }, 'No API has a list of models.')))]));
  if (focused !== undefined) {
    const again = [...table.querySelectorAll('button')].find((b) => b.dataset.key === focused);
    if (again) again.focus();
  }
}

function trail(r) {
  const line = (t) => h('li', {}, h('span', { class: t.status >= 200 && t.status < 400 && !t.error ? 'chip' : 'chip bad' }, t.status || t.error || 'no answer'), ' ',
    h('span', { class: 'name' }, t.model || r.client_model || ''), ' at ' + t.backend + ', from ' + ms(t.after_ms || 0.001) + ', head ' + ms(t.head_ms) + ', took ' + ms(t.took_ms),
    [t.error && t.status ? t.error : '', t.failure, t.effect, t.probe ? 'probe' : ''].filter(Boolean).map((x) => ' · ' + x));
  return h('tr', { class: 'tries' }, h('td', { colspan: 9 },
    h('p', { class: 'soft' }, r.method + ' ' + r.path + ' · ' + (r.host || '') + ' · ' + r.id + (r.reason ? ' · ' + r.reason : '')),
    r.tries.length ? h('ol', {}, r.tries.map(line)) : h('p', {}, 'No provider was asked.')));
}

const kinds = {
  all: () => true, errors: (r) => r.status >= 400, moved: (r) => r.tries.some((t) => t.failed_over), slow: (r) => r.duration_ms >= 10000,
};
function showRequests() {
  const found = requests.filter(kinds[filter]);
  const shown = found.slice(0, most);
  $('more').hidden = found.length <= kFew;
  $('more').textContent = most === kFew ? 'Show all ' + found.length : 'Show fewer';
  const rows = shown.flatMap((r) => {
    const open = opened.has(r.id);
    const toggle = () => { if (!opened.delete(r.id)) opened.add(r.id); showRequests(); };
    const bad = r.status >= 500 ? 'chip bad' : r.status >= 400 ? 'chip warn' : 'chip';
    const changed = r.model && r.client_model && r.client_model !== r.model;
    return [h('tr', {}, cell('Time', {}, h('button', { type: 'button', 'data-key': r.id, 'aria-expanded': String(open), onclick: toggle }, clock(r.time))),
      cell('Status', {}, h('span', { class: bad }, r.status), r.error ? h('span', { class: 'why' }, r.error) : null),
      cell('Model', { class: 'name' }, r.model || r.client_model || '–', changed ? h('span', { class: 'why', title: 'what was asked for' }, r.client_model) : null),
      cell('Consumer', { class: 'soft' }, r.consumer || '–'), cell('Tries', { class: 'number' }, r.attempts), cell('First byte', { class: 'number' }, ms(r.ttft_ms)),
      cell('Total', { class: 'number' }, ms(r.duration_ms)), cell('Overhead', { class: 'number' }, ms(r.overhead_ms)), cell('Tokens', { class: 'number' }, count(r.input_tokens + r.output_tokens))),
    ...(open ? [trail(r)] : [])];
  });
  const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.key : undefined;
  $('requests').tBodies[0].replaceChildren(...(rows.length ? rows : [h('tr', {}, h('td', { colspan: 9, class: 'nothing' }, 'None yet.'))]));
  const again = focused && [...$('requests').querySelectorAll('button')].find((b) => b.dataset.key === focused);
  if (again) again.focus();
}

function showConsumers(c) {
  const today = c.of_whole_day ? 'today' : 'since ' + clock(c.today_since);
  $('consumers-note').textContent = c.counted ? 'since ' + clock(c.since) + ' · cost ' + today + ' ' + money(c.cost_today_nd) + ' in all' : '';
  $('cost-since').textContent = c.counted ? 'Cost ' + today : 'Cost';
  const rows = c.consumers.map((x) => h('tr', {}, cell('Consumer', { class: 'name' }, x.consumer), cell('Requests', { class: 'number' }, count(x.requests)),
    cell('Refused', { class: 'number' }, count(x.refused)), cell('Tokens', { class: 'number' }, short((x.input_tokens || 0) + (x.output_tokens || 0))), cell('Cost', { class: 'number' }, money(x.cost_today_nd))));
  const none = c.counted ? 'None has come yet.' : 'quotas.metric_consumers is 0: none is counted.';
  $('consumers').tBodies[0].replaceChildren(...(rows.length ? rows : [h('tr', {}, h('td', { colspan: 5, class: 'nothing' }, none))]));
}

function showLimits(l) {
  const fullest = [...l.limits].sort((a, b) => b.used / Math.max(1, b.limit) - a.used / Math.max(1, a.limit)).slice(0, 50);
  const isMoney = (x) => x.counts === 'nanodollars';
  const amount = (x, n) => (isMoney(x) ? money(n) : short(n));
  const here = (x) => (x.used_here === undefined ? '' : ', ' + amount(x, x.used_here) + ' here');
  const rows = fullest.map((x) => h('tr', {}, cell('Policy', { class: 'name' }, x.policy, h('span', { class: 'why' }, x.for || x.scope)),
    cell('Counts', {}, (isMoney(x) ? 'cost' : x.counts) + ' a ' + x.unit), cell('Used', { class: 'wide' }, h('div', { class: 'share' }, bar(x.used / Math.max(1, x.limit)),
      h('span', {}, amount(x, x.used) + ' of ' + amount(x, x.limit) + here(x)))), cell('Until', {}, h('time', { datetime: x.reset, title: x.reset }, day(x.reset)))));
  $('limits').tBodies[0].replaceChildren(...(rows.length ? rows : [h('tr', {}, h('td', { colspan: 4, class: 'nothing' }, 'No limit is configured.'))]));
}

const eventsSeen = new Set();
function showEvent(e) {
  if (eventsSeen.has(e.id)) return;
  eventsSeen.add(e.id);
  const bad = e.kind === 'suspended' || e.kind === 'reload failed' ? 'chip bad' : e.kind === 'draining' || e.kind === 'certificate' ? 'chip warn' : 'chip';
  $('events').prepend(h('li', {}, time(e.time), h('span', { class: bad }, e.kind), h('span', { class: 'name' }, e.what), h('span', { class: 'soft' }, e.detail)));
  while ($('events').children.length > 200) $('events').lastChild.remove();
}

function snapshot(s) {
  showStatus(s.status);
  remember(s.models.models);
  showModels(s.models.models);
}

async function poll() {
  try {
    const [status, list] = await Promise.all([read('api/v1/status'), read('api/v1/models')]);
    for (const part of document.querySelectorAll('.live')) part.hidden = false;
    snapshot({ status, models: list });
    const [r, c, l, e] = await Promise.all([read('api/v1/requests?limit=200'), read('api/v1/consumers?limit=20'), read('api/v1/limits?callers=0'), read('api/v1/events?format=json')]);
    requests = r.requests;
    showRequests();
    showConsumers(c);
    showLimits(l);
    e.events.reverse().forEach(showEvent);
  } catch (error) { $('link').textContent = 'no answer from the gateway'; }
}

let listening = false;
async function listen() {
  if (listening) return;
  listening = true;
  let reader;
  try {
    reader = (await ask('api/v1/events')).body.pipeThrough(new TextDecoderStream()).getReader();
    $('link').textContent = 'live';
    for (let rest = ''; ;) {
      const { value, done } = await reader.read();
      if (done) break;
      const parts = (rest + value).split('\n\n');
      rest = parts.pop();
      for (const part of parts) {
        const field = (name) => (part.split('\n').find((line) => line.startsWith(name + ': ')) || '').slice(name.length + 2);
        if (field('event') === 'snapshot') snapshot(JSON.parse(field('data')));
        if (field('event') === 'event') showEvent(JSON.parse(field('data')));
      }
    }
  } catch (error) { /* asked again below */ }
  if (reader) reader.cancel().catch(() => {});
  listening = false;
  $('link').textContent = 'asking again';
}

for (const button of document.querySelectorAll('[data-filter]')) {
  button.addEventListener('click', () => {
    filter = button.dataset.filter;
    for (const other of document.querySelectorAll('[data-filter]')) other.setAttribute('aria-pressed', String(other === button));
    showRequests();
  });
}
$('more').addEventListener('click', () => {
  most = most === kFew ? 200 : kFew;
  showRequests();
});
setInterval(() => {
  for (const node of document.querySelectorAll('.count')) {
    const m = models.find((x) => x.id === node.dataset.id);
    if (m) node.textContent = span(left(m));
  }
}, 500);
setInterval(() => { if (!document.hidden && $('sign-in').hidden) { poll(); listen(); } }, 3000);
poll();
listen();
