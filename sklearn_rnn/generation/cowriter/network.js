// The network: decoding of its weights, and one step of each cell.

const START = 2; // code at the start of a text
const END = 3; // code of the end; the codes from here on can be suggested

/** Decompress base64 text of bytes that were compressed by deflate. */
async function decompress(base64) {
  const binary = atob(base64);
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream();
  const plain = stream.pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

/**
 * Read the arrays of a network from bytes.
 *
 * Vectors are stored in float32. Matrices are stored as integers: the scale of each row
 * in float32, the low bytes of all integers, and their high bytes.
 */
function readArrays(bytes, shapes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const arrays = {};
  let place = 0;
  const readFloats = (n) => {
    const values = new Float32Array(n);
    for (let k = 0; k < n; k++, place += 4) values[k] = view.getFloat32(place, true);
    return values;
  };
  for (const [name, nRows, nColumns] of shapes) {
    const values = readFloats(nRows);
    if (nColumns === undefined) {
      arrays[name] = values;
      continue;
    }
    const n = nRows * nColumns;
    const matrix = new Float32Array(n);
    for (let k = 0; k < n; k++) {
      const integer = ((bytes[place + n + k] << 24) >> 16) | bytes[place + k];
      matrix[k] = integer * values[Math.floor(k / nColumns)];
    }
    place += 2 * n;
    arrays[name] = matrix;
  }
  return arrays;
}

/** Add the product of a matrix, stored row by row, and a vector to a result. */
function addProduct(result, matrix, vector) {
  const n = vector.length;
  const whole = result.length - (result.length % 4);
  let row = 0;
  for (; row < whole; row += 4) { // several rows at once are faster
    let a = 0, b = 0, c = 0, d = 0;
    for (let j = 0, k = row * n; j < n; j++, k++) {
      const x = vector[j];
      a += matrix[k] * x;
      b += matrix[k + n] * x;
      c += matrix[k + 2 * n] * x;
      d += matrix[k + 3 * n] * x;
    }
    result[row] += a;
    result[row + 1] += b;
    result[row + 2] += c;
    result[row + 3] += d;
  }
  for (; row < result.length; row++) {
    let a = 0;
    for (let j = 0, k = row * n; j < n; j++, k++) a += matrix[k] * vector[j];
    result[row] += a;
  }
}

function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}

/**
 * One step of each cell: the new state from W x + b (input), U h (recurrent) and the
 * state before. A state is a list of vectors, and the first one is the output.
 */
const CELLS = {
  rnn(layer, input, recurrent) {
    const activate = layer.activation === "relu" ? (x) => Math.max(x, 0) : Math.tanh;
    return [recurrent.map((product, k) => activate(input[k] + product))];
  },
  lstm(layer, input, recurrent, [, before]) {
    const H = before.length;
    const hidden = new Float32Array(H);
    const cell = new Float32Array(H);
    for (let k = 0; k < H; k++) {
      const i = sigmoid(input[k] + recurrent[k]);
      const f = sigmoid(input[H + k] + recurrent[H + k]);
      const g = Math.tanh(input[2 * H + k] + recurrent[2 * H + k]);
      const o = sigmoid(input[3 * H + k] + recurrent[3 * H + k]);
      cell[k] = f * before[k] + i * g;
      hidden[k] = o * Math.tanh(cell[k]);
    }
    return [hidden, cell];
  },
  gru(layer, input, recurrent, [before]) {
    const H = before.length;
    const hidden = new Float32Array(H);
    for (let k = 0; k < H; k++) {
      const r = sigmoid(input[k] + recurrent[k]);
      const z = sigmoid(input[H + k] + recurrent[H + k]);
      const product = recurrent[2 * H + k] + layer.biasOfCandidate[k];
      const n = Math.tanh(input[2 * H + k] + r * product);
      hidden[k] = n + z * (before[k] - n);
    }
    return [hidden];
  },
};
const N_VECTORS = { rnn: 1, lstm: 2, gru: 1 }; // of a state

/** A trained network. States are never changed: each step makes a new one. */
class Network {
  constructor(description, arrays) {
    this.step = CELLS[description.cell];
    this.arrays = arrays;
    this.layers = [];
    for (let k = 0; k < description.num_layers; k++) {
      const part = (name) => arrays[`stack.layers.${k}.0.${name}`];
      this.layers.push({
        input: part("weight_ih"),
        recurrent: part("weight_hh"),
        bias: part("bias"),
        biasOfCandidate: part("bias_n"),
        activation: description.activation,
      });
    }
    this.embedding = arrays["embedding.weight"];
    this.head = arrays["head.weight"] ?? this.embedding; // tied weights
    this.headBias = arrays["head.bias"];
    this.size = description.hidden_size;
    this.beginning = this.layers.map(() =>
      Array.from({ length: N_VECTORS[description.cell] }, () => new Float32Array(this.size)),
    );
  }

  /** The state of all layers after one more code. */
  feed(state, code) {
    let x = null;
    if (this.embedding) {
      const width = this.embedding.length / this.headBias.length;
      x = this.embedding.subarray(code * width, (code + 1) * width);
    }
    return this.layers.map((layer, k) => {
      const input = layer.bias.slice();
      if (x) addProduct(input, layer.input, x);
      else for (let j = 0; j < input.length; j++) input[j] += layer.input[code * input.length + j];
      const recurrent = new Float32Array(input.length);
      addProduct(recurrent, layer.recurrent, state[k][0]);
      const after = this.step(layer, input, recurrent, state[k]);
      x = after[0];
      return after;
    });
  }

  /** Log-probabilities of the codes from END on, after a state. */
  predict(state) {
    let outputs = state[state.length - 1][0];
    if (this.arrays["project.weight"]) {
      const projected = this.arrays["project.bias"].slice();
      addProduct(projected, this.arrays["project.weight"], outputs);
      outputs = projected;
    }
    const logits = this.headBias.slice(END);
    addProduct(logits, this.head.subarray(END * outputs.length), outputs);
    const { highest, total } = sumExponentials(logits, 1);
    const shift = highest + Math.log(total);
    const logProbabilities = new Float64Array(logits.length);
    for (let j = 0; j < logits.length; j++) logProbabilities[j] = logits[j] - shift;
    return logProbabilities;
  }
}

/** The sum of exp((value - highest) / temperature) over all values. */
function sumExponentials(values, temperature) {
  let highest = -Infinity;
  for (let j = 0; j < values.length; j++) if (values[j] > highest) highest = values[j];
  let total = 0;
  for (let j = 0; j < values.length; j++) total += Math.exp((values[j] - highest) / temperature);
  return { highest, total };
}

/** Probabilities at a temperature, from log-probabilities at temperature 1. */
function applyTemperature(logProbabilities, temperature) {
  const { highest, total } = sumExponentials(logProbabilities, temperature);
  const probabilities = new Float64Array(logProbabilities.length);
  for (let j = 0; j < probabilities.length; j++) {
    probabilities[j] = Math.exp((logProbabilities[j] - highest) / temperature) / total;
  }
  return probabilities;
}

/** The positions of the k greatest values, the greatest first; ties keep their order. */
function findLargest(values, k, isCandidate = () => true) {
  const best = [];
  for (let j = 0; j < values.length; j++) {
    const isBetter = best.length < k || values[j] > values[best[best.length - 1]];
    if (!isBetter || !isCandidate(j)) continue;
    let place = best.length;
    while (place && values[j] > values[best[place - 1]]) place--;
    best.splice(place, 0, j);
    best.length = Math.min(best.length, k);
  }
  return best;
}

/** Draw a position with probabilities that sum to 1. */
function draw(probabilities, random = Math.random) {
  let left = random();
  for (let j = 0; j < probabilities.length; j++) {
    left -= probabilities[j];
    if (left < 0) return j;
  }
  return findLargest(probabilities, 1)[0]; // the sum was below 1 by rounding
}
