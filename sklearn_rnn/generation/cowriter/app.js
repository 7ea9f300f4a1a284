// The page: it shows a session, and carries out what the person does.

const byId = (id) => document.getElementById(id);
const KEYS = "1234567890"; // of the suggestions, in order

const app = {
  model: null,
  sessions: [],
  current: 0,
  job: null, // what is running and can be stopped: {isStopped}
  get session() {
    return this.sessions[this.current];
  },
};

// ---------------------------------------------------------------- showing

/** A readable name of a token. */
function describeToken(code, token) {
  if (code === END) return "end of text";
  const names = { " ": "␣ space", "\n": "↵ line break", "\t": "⇥ tab", "\r": "carriage return" };
  if (names[token]) return names[token];
  return token.replace(/[\p{C}\p{Z}]/gu, (character) => {
    const number = character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    return `U+${number}`;
  });
}

function formatShare(share) {
  return `${(100 * share).toFixed(1)}\u00a0%`;
}

function say(message, isError = false) {
  byId("status").textContent = message;
  byId("status").classList.toggle("error", isError);
}

/** Show the text of the session. */
function showText() {
  const { session } = app;
  const text = byId("text");
  byId("prompt").textContent = session.prompt;
  byId("written").textContent = session.written;
  text.scrollTop = text.scrollHeight;
  const { nTokens, nPicked, suggested, perplexity } = session.statistics;
  byId("statistics").textContent = nTokens
    ? `Added: ${nTokens}, of which ${nPicked} were picked; ${formatShare(suggested)} were ` +
      `among the ten likeliest; perplexity ${perplexity.toPrecision(3)}.`
    : "Nothing was added yet.";
}

/** Show the suggestions for the next token, which start with what is typed. */
function showSuggestions() {
  const { session } = app;
  const suggestions = session.isOver ? [] : session.suggest(N_SUGGESTED, readPrefix());
  [...byId("suggestions").children].forEach((item, k) => {
    item.hidden = k >= suggestions.length;
    if (item.hidden) return;
    const { code, token, probability } = suggestions[k];
    const button = item.firstChild;
    const name = describeToken(code, token);
    button.dataset.code = code;
    button.querySelector("bdi").textContent = name;
    button.querySelector(".share").textContent = formatShare(probability);
    button.style.setProperty("--share", probability);
    button.setAttribute("aria-label", `${KEYS[k]}: ${name}, ${formatShare(probability)}`);
  });
  byId("none").hidden = suggestions.length > 0;
  byId("none").textContent = session.isOver
    ? "The text has ended. Undo the end to continue."
    : "No word of the vocabulary starts with this. Enter adds it if all its words are known.";
  return suggestions;
}

/** Show the texts between which the person can change. */
function showBranches() {
  const buttons = app.sessions.map((session, k) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = k + 1;
    button.setAttribute("aria-label", `Text ${k + 1}`);
    button.setAttribute("aria-pressed", k === app.current);
    button.addEventListener("click", () => selectSession(k));
    return button;
  });
  if (app.sessions.length > 1) {
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "Close";
    close.setAttribute("aria-label", `Close text ${app.current + 1}`);
    close.addEventListener("click", closeSession);
    buttons.push(close);
  }
  const hadFocus = byId("branches").contains(document.activeElement);
  byId("branches").replaceChildren(...buttons);
  if (hadFocus) buttons[app.current].focus();
}

function show() {
  const { session } = app;
  const focused = document.activeElement;
  showText();
  const suggestions = showSuggestions();
  byId("undo").disabled = !session.steps.length || app.job !== null;
  byId("write").disabled = session.isOver && app.job === null;
  byId("temperature").value = session.temperature;
  byId("temperature-value").textContent = session.temperature.toFixed(1);
  if (focused.matches(":disabled, [hidden] *")) {
    session.isOver ? byId("undo").focus() : focusSuggestions();
  }
  return suggestions;
}

/** The beginning of a word that is typed, or "". */
function readPrefix() {
  const { codec } = app.model;
  return codec.isOfWords ? codec.fold(byId("own").value.trim()) : "";
}

// ---------------------------------------------------------------- one step

function pick(k) {
  const item = byId("suggestions").children[k];
  if (!item || item.hidden || app.job) return;
  const code = Number(item.firstChild.dataset.code);
  const nTyped = countCharacters(readPrefix());
  if (readPrefix()) byId("own").value = "";
  app.session.take(code, true, nTyped);
  announce(describeToken(code, app.model.codec.names[code - END]));
}

/** Show the session after a step, and say what was added and what may follow. */
function announce(added) {
  say(`${added} was added.`);
  const next = show().slice(0, 3).map(({ code, token }) => describeToken(code, token));
  if (next.length) say(`${added} was added. Next: ${next.join(", ")}.`);
}

function acceptOwn() {
  const own = byId("own");
  if (!own.value || app.job) return;
  try {
    app.session.accept(own.value);
  } catch (error) {
    say(error.message, true);
    return;
  }
  const typed = own.value;
  own.value = "";
  announce(typed.length > 40 ? `${typed.length} characters` : `“${typed}”`);
}

function undo() {
  if (app.job || !app.session.steps.length) return;
  const { code } = app.session.undo();
  say(`${describeToken(code, app.model.codec.names[code - END])} was removed.`);
  show();
}

// ---------------------------------------------------------------- several texts

function addSession(session) {
  app.sessions.push(session);
  selectSession(app.sessions.length - 1);
}

function selectSession(k) {
  if (app.job) return;
  app.current = k;
  showBranches();
  say(`Text ${k + 1} of ${app.sessions.length}.`);
  show();
}

function branch() {
  if (!app.job) addSession(app.session.branch());
}

function closeSession() {
  if (app.job) return;
  app.sessions.splice(app.current, 1);
  selectSession(Math.min(app.current, app.sessions.length - 1));
}

// ---------------------------------------------------------------- long work

/** Run a job that can be stopped. While it runs, the text cannot be changed. */
async function run(name, work) {
  if (app.job) return;
  const job = { isStopped: false };
  app.job = job;
  const controls = document.querySelectorAll("button, input, textarea, select");
  const wasEnabled = [...controls].filter(
    (control) => !control.disabled && !["write", "temperature", "speed"].includes(control.id),
  );
  const focused = document.activeElement;
  wasEnabled.forEach((control) => (control.disabled = true));
  const label = byId("write").textContent;
  say(`${name} …`);
  byId("write").disabled = false;
  byId("write").textContent = "Stop";
  const watch = (share) => {
    if (job.isStopped) throw new Error("Stopped.");
    byId("progress").textContent = `${name} … ${Math.floor(100 * share)} %`;
    byId("progress").hidden = false;
  };
  try {
    await work(job, watch);
  } catch (error) {
    say(error.message, true);
  } finally {
    app.job = null;
    byId("progress").hidden = true;
    byId("write").textContent = label;
    wasEnabled.forEach((control) => (control.disabled = false));
    if (document.activeElement === document.body) focused.focus();
  }
}

function stop() {
  if (app.job) app.job.isStopped = true;
}

async function writeAutomatically() {
  if (app.session.isOver) return;
  await run("Writing", async (job) => {
    const before = app.session.steps.length;
    let nextShown = 0;
    while (!job.isStopped && !app.session.isOver) {
      const rate = Number(byId("speed").value);
      if (rate) {
        app.session.write();
        show();
        await pause(1000 / rate);
        continue;
      }
      const sliceEnd = performance.now() + SLICE;
      while (performance.now() < sliceEnd && !app.session.isOver) app.session.write();
      const now = performance.now();
      if (now > nextShown) {
        showText();
        nextShown = now + Math.max(100, 5 * (performance.now() - now)); // long texts
      }
      await pause();
    }
    say(`Tokens written: ${app.session.steps.length - before}.`);
  });
  show();
}

async function startText() {
  const prompt = byId("beginning").value;
  await run("Reading", async (job, watch) => {
    const session = await app.model.start(prompt, watch);
    session.temperature = app.session?.temperature ?? 1;
    app.job = null;
    addSession(session);
    byId("beginning").value = "";
    const unknown = [...new Set(session.unknown)].slice(0, 5).map((token) => describeToken(0, token));
    if (unknown.length) say(`Unknown to the model: ${unknown.join(", ")}.`);
  });
  show();
}

// ---------------------------------------------------------------- transcripts

function saveTranscript() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(
    new Blob([writeTranscript(app.session)], { type: "application/json" }),
  );
  link.download = "transcript.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say("The transcript was saved.");
}

async function loadTranscript() {
  const [file] = byId("load").files;
  byId("load").value = "";
  if (!file) return;
  await run("Reading", async (job, watch) => {
    const session = await app.model.resume(await file.text(), watch);
    app.job = null;
    addSession(session);
  });
  show();
}

/** Name in the storage of the tab; pages of other models may be opened in the same tab. */
function nameStore() {
  return `cowriter ${app.model.description.fingerprint}`;
}

/** Keep the texts in this tab, so that they survive a reload. */
function storeSessions() {
  const { sessions, current } = app;
  if (!sessions.length) return;
  try {
    sessionStorage.setItem(
      nameStore(), JSON.stringify({ current, transcripts: sessions.map(writeTranscript) }),
    );
  } catch {
    // the browser stores nothing for this page, or the texts are too long
  }
}

async function restoreSessions(watch) {
  try {
    const { current, transcripts } = JSON.parse(sessionStorage.getItem(nameStore()));
    const sessions = [];
    for (const transcript of transcripts) sessions.push(await app.model.resume(transcript, watch));
    app.sessions = sessions;
    app.current = sessions[current] ? current : 0;
  } catch {
    // nothing is stored, or it is damaged
  }
}

// ---------------------------------------------------------------- events

function focusSuggestions() {
  byId("suggestions").querySelector("li:not([hidden]) button")?.focus();
}

function handleKey(event) {
  const { key, target, altKey } = event;
  if (event.ctrlKey || event.metaKey || event.isComposing) return;
  const isField = target.matches("textarea, select");
  const digit = /^Digit\d$/.test(event.code) && altKey ? event.code.slice(5) : key;
  const place = KEYS.indexOf(digit);
  const isAllowed = byId("shortcuts").checked;
  const mayPick = altKey ? !isField || target === byId("own") : !isField && isAllowed;
  const act = (action) => {
    event.preventDefault();
    action();
  };
  if (key === "Escape") act(app.job ? stop : focusSuggestions);
  else if (target === byId("own") && key === "Enter" && !event.shiftKey) act(acceptOwn);
  else if (digit.length === 1 && place >= 0 && mayPick) act(() => pick(place));
  else if (byId("suggestions").contains(target) && ["ArrowDown", "ArrowUp"].includes(key)) {
    act(() => {
      const buttons = [...byId("suggestions").querySelectorAll("li:not([hidden]) button")];
      const next = buttons.indexOf(target) + (key === "ArrowDown" ? 1 : -1);
      buttons[Math.max(0, Math.min(next, buttons.length - 1))].focus();
    });
  } else if (isField || altKey || !isAllowed) return;
  else if (key === "Backspace") act(undo);
  else if (key === "b") act(branch);
  else if (key === "w") act(app.job ? stop : writeAutomatically);
  else if (key === "/") act(() => byId("own").focus());
}

function connect() {
  for (const [k, key] of [...KEYS].entries()) {
    const button = document.createElement("button");
    button.type = "button";
    for (const [tag, text] of [["kbd", key], ["bdi", ""], ["span", ""]]) {
      const part = document.createElement(tag);
      part.textContent = text;
      if (tag === "span") part.className = "share";
      button.append(part);
    }
    button.addEventListener("click", () => pick(k));
    const item = document.createElement("li");
    item.append(button);
    byId("suggestions").append(item);
  }
  const onSubmit = (id, action) =>
    byId(id).addEventListener("submit", (event) => {
      event.preventDefault();
      action();
    });
  onSubmit("own-form", acceptOwn);
  onSubmit("start-form", startText);
  byId("own").addEventListener("input", () => {
    say("");
    showSuggestions();
  });
  byId("undo").addEventListener("click", undo);
  byId("branch").addEventListener("click", branch);
  byId("write").addEventListener("click", () => (app.job ? stop() : writeAutomatically()));
  byId("save").addEventListener("click", saveTranscript);
  byId("load").addEventListener("change", loadTranscript);
  byId("temperature").addEventListener("input", () => {
    app.session.temperature = Number(byId("temperature").value);
    show();
  });
  document.addEventListener("keydown", handleKey);
  window.addEventListener("pagehide", storeSessions);
}

async function main() {
  const description = JSON.parse(byId("description").textContent);
  const bytes = await decompress(byId("weights").textContent);
  app.model = new Model(description, readArrays(bytes, description.arrays));
  connect();
  await restoreSessions((share) => {
    byId("progress").textContent = `Reading … ${Math.floor(100 * share)} %`;
  });
  if (!app.sessions.length) app.sessions = [await app.model.start(description.prompt)];
  byId("progress").hidden = true;
  byId("main").hidden = false;
  showBranches();
  show();
}

main().catch((error) => {
  byId("progress").textContent = `The page cannot start: ${error.message}`;
});
