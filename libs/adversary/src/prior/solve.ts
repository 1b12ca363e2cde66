/** Symmetric positive definite matrices (Cholesky), in float64: what a shrunk covariance always is. */

/**
 * L with A = L L^T, lower triangular. `a` is [d, d] row-major; only its lower triangle is read.
 * Errors: RangeError where A is not positive definite.
 */
export function cholesky(a: Float64Array, d: number): Float64Array {
  const lower = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * d + j];
      for (let k = 0; k < j; k++) sum -= lower[i * d + k] * lower[j * d + k];
      if (i !== j) {
        lower[i * d + j] = sum / lower[j * d + j];
      } else {
        if (!(sum > 0)) throw new RangeError(`matrix is not positive definite at row ${i}`);
        lower[i * d + i] = Math.sqrt(sum);
      }
    }
  }
  return lower;
}

/** X with A X = B for each right-hand side; `a` as {@link cholesky} takes it. Errors: RangeError likewise. */
export function solveSpd(a: Float64Array, d: number, sides: readonly Float64Array[]): Float64Array[] {
  const lower = cholesky(a, d);
  return sides.map((side) => {
    const x = Float64Array.from(side);
    for (let i = 0; i < d; i++) {
      for (let k = 0; k < i; k++) x[i] -= lower[i * d + k] * x[k];
      x[i] /= lower[i * d + i];
    }
    for (let i = d - 1; i >= 0; i--) {
      for (let k = i + 1; k < d; k++) x[i] -= lower[k * d + i] * x[k];
      x[i] /= lower[i * d + i];
    }
    return x;
  });
}
