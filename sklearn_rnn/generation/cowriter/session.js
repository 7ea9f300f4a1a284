// The text that is being written, as in sklearn_rnn.WritingSession.

const N_SUGGESTED = 10;
const RECENT = 256; // number of last steps whose states are all kept
const SPACING = 64; // distance between earlier steps whose states are kept
const SLICE = 25; // milliseconds of work between two updates of the page

/** Let the browser handle events, such as a click on "Stop". */
function pause(milliseconds = 0) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A fitted generator: its network, and the codec of its texts. */
class Model {
  constructor(description, arrays) {
    this.description = description;
    this.codec = new Codec(description);
    this.network = new Network(description, arrays);
    this.nCodes = END + description.classes.length;
  }

  /**
   * Read codes one after the other; the state after them.
   *
   * `watch` is called with the share of the codes that were read, and may throw an
   * Error to stop.
   */
  async read(state, codes, watch = () => {}) {
    let sliceEnd = performance.now() + SLICE;
    for (let k = 0; k < codes.length; k++) {
      state = this.network.feed(state, codes[k]);
      if (k % 16 === 0 && performance.now() > sliceEnd) {
        watch(k / codes.length);
        await pause();
        sliceEnd = performance.now() + SLICE;
      }
    }
    return state;
  }

  /** Start a session with the beginning of a text. */
  async start(text, watch) {
    const prompt = text.replace(/\p{Surrogate}/gu, UNKNOWN_TEXT); // Python refuses these
    const { codes, unknown } = this.codec.encode(prompt);
    if (unknown.length && this.codec.unknown === "error") {
      throw new Error(`“${unknown[0]}” is not in the vocabulary.`);
    }
    if (unknown.length && codes.every((code) => code === UNKNOWN)) {
      throw new Error("The model knows no token of this text.");
    }
    const state = await this.read(this.network.beginning, [START, ...codes], watch);
    return new Session(this, prompt, codes, unknown, state);
  }

  /** Restore the session of a transcript; raises an Error if that is not possible. */
  async resume(transcript, watch) {
    const content = readTranscript(transcript, this);
    const session = await this.start(content.prompt, (share) => watch?.(share / 2));
    let sliceEnd = performance.now() + SLICE;
    for (const [k, [code, picked, temperature, nTyped]] of content.steps.entries()) {
      session.temperature = temperature;
      session.take(code, picked, nTyped);
      if (performance.now() > sliceEnd) {
        watch?.(0.5 + k / content.steps.length / 2);
        await pause();
        sliceEnd = performance.now() + SLICE;
      }
    }
    session.temperature = content.temperature;
    return session;
  }
}

/** A text: its beginning, and the steps, each of which added a token. */
class Session {
  constructor(model, prompt, promptCodes, unknown, state) {
    this.model = model;
    this.prompt = prompt;
    this.promptCodes = promptCodes;
    this.unknown = unknown; // unknown tokens of the prompt
    this.temperature = 1;
    this.steps = [];
    this.states = [state]; // after each step; sparse, see stateAfter
  }

  /** A copy, to continue the text in another way. */
  branch() {
    const twin = Object.assign(Object.create(Session.prototype), this);
    twin.steps = this.steps.slice();
    twin.states = this.states.slice();
    return twin;
  }

  get isOver() {
    return this.steps.length > 0 && this.steps[this.steps.length - 1].code === END;
  }

  /** The state after the first n steps, which is computed again if it was not kept. */
  stateAfter(n) {
    let known = n;
    while (!this.states[known]) known--;
    let state = this.states[known];
    for (; known < n; known++) state = this.model.network.feed(state, this.steps[known].code);
    this.states[n] = state;
    return state;
  }

  /** Log-probabilities of the next token in the order of the classes. */
  get logProbabilities() {
    const state = this.stateAfter(this.steps.length);
    if (this.predictedFrom !== state) {
      this.predicted = this.model.network.predict(state);
      this.predictedFrom = state;
    }
    return this.predicted;
  }

  /** The likeliest next tokens that start with a prefix: [{code, token, probability}]. */
  suggest(k = N_SUGGESTED, prefix = "") {
    const names = this.model.codec.names;
    const isCandidate = (j) => !prefix || (j > 0 && names[j].startsWith(prefix));
    const values = this.logProbabilities;
    const probabilities = applyTemperature(values, this.temperature);
    return findLargest(values, k, isCandidate).map((j) => ({
      code: j + END,
      token: names[j],
      probability: probabilities[j],
    }));
  }

  /** Add a token, which was picked from suggestions or typed. */
  take(code, picked, nTyped = 0) {
    if (this.isOver) throw new Error("The text has ended. Undo the end to continue.");
    const values = this.logProbabilities;
    const j = code - END;
    let rank = 0;
    for (let i = 0; i < values.length; i++) {
      rank += values[i] > values[j] || (values[i] === values[j] && i < j);
    }
    const before = this.stateAfter(this.steps.length);
    this.steps.push({
      code, picked, nTyped, rank, temperature: this.temperature, logProbability: values[j],
    });
    const n = this.steps.length;
    this.states[n] = code === END ? before : this.model.network.feed(before, code);
    const old = n - RECENT;
    if (old > 0 && old % SPACING) this.states[old] = undefined;
  }

  /** Add a text that the person has typed, or raise an Error and add nothing. */
  accept(text) {
    const codes = this.model.codec.encodePhrase(text);
    if (this.isOver) throw new Error("The text has ended. Undo the end to continue.");
    for (const code of codes) this.take(code, false);
  }

  /** Add a token that is drawn at the temperature. */
  write(random = Math.random) {
    this.take(draw(applyTemperature(this.logProbabilities, this.temperature), random) + END, true);
  }

  /** Remove the last token, and return it. */
  undo() {
    const step = this.steps.pop();
    this.states.length = this.steps.length + 1;
    return step;
  }

  /** The text after the prompt. */
  get written() {
    const { codec } = this.model;
    const codes = this.steps.map((step) => step.code);
    if (!codec.isOfWords) return codec.decode(codes);
    // decoded as a whole, because spaces depend on the tokens on both sides
    const head = codec.decode(this.promptCodes);
    const whole = codec.decode([...this.promptCodes, ...codes]);
    const space = " ".repeat(codec.separator);
    let written = codec.decode(codes);
    if (whole.startsWith(head)) written = whole.slice(head.length);
    else if (written) written = space + written;
    const isApart = !this.prompt || IS_SPACE.test(this.prompt);
    return space && isApart ? written.replace(/^ +/, "") : written;
  }

  get text() {
    return this.prompt + this.written;
  }

  /** Numbers that describe how the text was written. */
  get statistics() {
    const n = this.steps.length;
    const sum = (value) => this.steps.reduce((total, step) => total + value(step), 0);
    return {
      nTokens: n,
      nPicked: sum((step) => step.picked),
      suggested: sum((step) => step.rank < N_SUGGESTED) / n,
      perplexity: Math.exp(-sum((step) => step.logProbability) / n),
    };
  }
}
