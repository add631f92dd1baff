/** How the rotary frequencies of long contexts are stretched; the fields are Hugging Face's `rope_scaling`. */
export type RopeScaling =
  | { readonly type: "none" }
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositionEmbeddings: number;
    }
  | { readonly type: "linear"; readonly factor: number };

/**
 * Rotary frequencies (Su et al. 2021), with Llama 3.1's scaling: wavelengths above the low-frequency bound are divided
 * by the factor, those below the high-frequency bound kept, those between interpolated.
 * @returns radians per position for each pair [headDim / 2], f64
 */
export function ropeFrequencies(headDim: number, theta: number, scaling: RopeScaling): Float64Array {
  return Float64Array.from({ length: headDim / 2 }, (_, i) => {
    const frequency = theta ** ((-2 * i) / headDim);
    switch (scaling.type) {
      case "none":
        return frequency;
      case "linear":
        return frequency / scaling.factor;
      case "llama3": {
        const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings } = scaling;
        const wavelength = (2 * Math.PI) / frequency;
        if (wavelength < originalMaxPositionEmbeddings / highFreqFactor) return frequency;
        if (wavelength > originalMaxPositionEmbeddings / lowFreqFactor) return frequency / factor;
        const smooth = (originalMaxPositionEmbeddings / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
        return ((1 - smooth) * frequency) / factor + smooth * frequency;
      }
    }
  });
}

/**
 * The table kernels read: WGSL's own sin and cos are only guaranteed to 2⁻¹¹ and only near zero, so angles are
 * computed here in f64.
 * @returns (cos, sin) for each position and pair, [positions, headDim / 2, 2] f32
 */
export function ropeTable(frequencies: Float64Array, positions: number): Float32Array<ArrayBuffer> {
  const pairs = frequencies.length;
  const table = new Float32Array(positions * pairs * 2);
  for (let p = 0; p < positions; p++) {
    for (let i = 0; i < pairs; i++) {
      const angle = p * (frequencies[i] ?? 0);
      const at = (p * pairs + i) * 2;
      table[at] = Math.cos(angle);
      table[at + 1] = Math.sin(angle);
    }
  }
  return table;
}
