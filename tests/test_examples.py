"""The examples run without errors, and print what their text says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sklearn_rnn import load

EXAMPLES = Path(__file__).parents[1] / "examples"

pytestmark = pytest.mark.slow


def printed(name, folder, *arguments):
    """Run an example in an empty folder, with warnings as errors; return its output."""
    (script,) = EXAMPLES.rglob(name)
    run = subprocess.run(
        [sys.executable, "-W", "error", script, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def number(pattern, text):
    return float(re.search(pattern + r"\s+(\d\.\d+)", text).group(1))


def test_the_names_example_searches_reports_and_draws(tmp_path):
    text = printed("plot_names.py", tmp_path, "Olga Petrova")
    assert number("accuracy on the held-out names:", text) > 0.65
    assert "GridSearchCV - fit" in text and "RNNClassifier - fit" in text
    assert re.search(r"^Olga Petrova: Russian \d+%", text, re.M)
    assert (tmp_path / "demo_confusion_matrix.png").stat().st_size > 10_000


def test_the_digits_example_reads_unfinished_digits(tmp_path):
    text = printed("plot_digits_rows.py", tmp_path)
    assert number("held out:", text) > 0.95
    whole, cut = (
        [float(x) for x in values.split()]
        for values in re.findall(r"images \[(.*)\]", text)
    )
    assert whole[4] < 0.5 < 0.9 < cut[4]


def test_the_sensor_example_needs_the_order(tmp_path):
    text = printed("plot_ragged_sensors.py", tmp_path)
    assert number("recurrent network:", text) > 0.9
    assert number("without order:", text) < 0.8


def test_the_validation_example_shows_both_leaks(tmp_path):
    text = printed("plot_validation_leak.py", tmp_path)
    gap = {
        name: float(said) - float(true)
        for name, said, true in re.findall(
            r"(.*?)\s+validation (\d\.\d+), new data (\d\.\d+)", text
        )
    }
    assert gap["rows drawn"] > 0.15 and gap["selected on all rows"] > 0.15
    assert (
        abs(gap["people drawn"]) < 0.12 and abs(gap["selected in the pipeline"]) < 0.12
    )


def test_the_moby_dick_example_learns_to_write(tmp_path):
    text = printed("plot_moby_dick.py", tmp_path)
    bits = [float(b) for b in re.findall(r"epoch \d+: (\d\.\d+) bits", text)]
    assert len(bits) == 3 and bits[0] > bits[1] > bits[2] and bits[2] < 2.8
    assert int(re.search(r"perplexity (\d+)", text).group(1)) < 120
    assert len(re.findall(r"^--- temperature", text, re.M)) == 5


def test_the_melody_example_ends_a_known_tune(tmp_path):
    text = printed("plot_melody.py", tmp_path)
    assert "24 melodies, 54 tokens" in text
    assert re.search(r"^temperature 0: \d+ notes: G4:4 F4:2 F4:2 E4:2 E4:2", text, re.M)


def test_the_tagging_example_beats_the_most_frequent_tag(tmp_path):
    text = printed("plot_tagging.py", tmp_path)
    assert number("network:", text) > 0.97 > 0.9 > number("most frequent tag:", text)
    assert "PRON MODAL VERB DET ADJ NOUN" in text


def test_the_stream_example_estimates_the_remaining_life(tmp_path):
    text = printed("plot_stream.py", tmp_path)
    ours = number("network +mean absolute error", text)
    assert ours < 0.7 * number("single reading +mean absolute error", text)
    assert "equal to predict: True" in text
    usual, hotter = re.findall(r"(\d+) hours[;\n]", text)[-2:]
    assert int(hotter) < int(usual)


def test_the_letter_example_recalls_the_T(tmp_path):
    text = printed("plot_letter_t.py", tmp_path)
    found = {
        name: int(count)
        for name, count in re.findall(r"^(.*): (\d+) of 100 recalled", text, re.M)
    }
    assert found["dense"] == 100 > found["hebb"]
    assert found["hebb, clamped"] > found["hebb, free"]
    assert found["temperature 0.3"] >= found["temperature 0.0"] > 90


def test_the_capacity_example_agrees_with_the_theory(tmp_path):
    text = printed("plot_capacity.py", tmp_path)
    assert number("at most", text) < 0.02
    assert number("above: overlap", text) < 0.7


def test_the_completion_example_beats_the_mean_digit(tmp_path):
    text = printed("plot_digits_completed.py", tmp_path)
    wrong = dict(re.findall(r"^(.*?)\s+(0\.\d+) of the lower pixels", text, re.M))
    assert float(wrong["mean of samples"]) < float(wrong["one sample"])
    assert float(wrong["one sample"]) < float(wrong["mean digit"])


def test_the_features_example_beats_raw_pixels(tmp_path):
    text = printed("plot_boltzmann_features.py", tmp_path)
    assert number("hidden units:", text) > 0.92
    assert number("raw pixels:", text) < 0.85


def test_the_counting_example_counts_with_the_lstm(tmp_path):
    text = printed("plot_counting.py", tmp_path)
    learned = dict(
        re.findall(r"^(\w+): trained up to 40, learned up to (\d+)", text, re.M)
    )
    assert int(learned["lstm"]) > 40 > int(learned["gru"]) > int(learned["rnn"])


def test_the_forecast_example_beats_naive_forecasts(tmp_path):
    text = printed("plot_forecast.py", tmp_path)
    assert number("CO2, RNNForecaster: MASE", text) < 0.6
    assert number("CO2, last year again: MASE", text) > 1.2
    ours, naive = re.search(
        r"RNNForecaster (\S+), last year again (\S+)$", text, re.M
    ).groups()
    assert float(ours) < 0.7 * float(naive)


def row(name, text):
    """Return the numbers in a row of a printed table."""
    found = re.search(rf"^{name}((?:\s+\d+\.\d+)+)$", text, re.M).group(1)
    return [float(x) for x in found.split()]


def test_the_seasonal_example_beats_the_naive_forecast(tmp_path):
    text = printed("plot_seasonal_series.py", tmp_path)
    assert "baseline_   theta" in text and "seasons_    (12,)" in text
    assert number("skill_", text) > 0.5
    mase, coverage = row("network", text)[2], row("network", text)[-1]
    assert mase < 0.6 < 1 < row("naive", text)[2]
    assert 0.8 < coverage < 0.97


def test_the_panel_example_beats_the_naive_forecast(tmp_path):
    text = printed("plot_many_series.py", tmp_path)
    assert "a list of 40 Series" in text and "season: (12,)" in text
    ours = row("global model", text)
    assert ours[1] < 0.85 * row("naive", text)[1]
    assert 0.82 < ours[-1] < 0.97
    folds = {
        name: sum(float(x) for x in values.split())
        for name, values in re.findall(r"^(\w+) +MASE.*\[(.*)\]", text, re.M)
    }
    assert folds["network"] < folds["naive"]


def test_the_windows_example_reads_other_lengths(tmp_path):
    text = printed("plot_wave_windows.py", tmp_path)
    assert "inputs (460, 40) targets (460, 40)" in text
    assert number("after  1 points: mean error", text) > 0.15
    assert number("after 10 points: mean error", text) < 0.06
    assert number("after 99 points: mean error", text) < 0.06
    assert number("steps   0 to 100: mean error", text) < 0.06
    assert number("steps 400 to 500: mean error", text) < 0.4


def test_the_dates_example_is_right_with_attention(tmp_path):
    text = printed("plot_dates.py", tmp_path)
    assert number("attention=dot:", text) > 0.95
    assert re.search(r"^1066-05-31  0\.9", text, re.M)


def test_the_phrases_example_translates_unseen_phrases(tmp_path):
    text = printed("plot_phrases.py", tmp_path)
    assert number("whole phrases right:", text) > 0.8


def test_the_parallel_training_example_saves_a_model(tmp_path):
    options = ["--characters", "20000", "--hidden-size", "16", "--epochs", "1"]
    text = printed("parallel_training.py", tmp_path, *options)
    assert number("loss", text) < 4.2
    assert len(load(tmp_path / "generator.skrnn").generate("the ", 5)) > 0


def test_the_quotation_example_finds_one_unit(tmp_path):
    text = printed("plot_quotation_unit.py", tmp_path)
    assert number("without the effect of the choice:", text) > 0.6


def test_the_forget_gate_example_closes_the_gate_at_a_reset(tmp_path):
    text = printed("plot_forget_gate.py", tmp_path)
    assert number(r"R2 on new sequences:", text) > 0.97
    assert number(r"mean forget gate at \.:", text) > 0.95
    assert number("mean forget gate at R:", text) < 0.1


def test_the_decisive_steps_example_finds_the_defects(tmp_path):
    text = printed("plot_decisive_steps.py", tmp_path)
    assert number("accuracy on new recordings:", text) > 0.95
    assert int(re.search(r"found within 4 steps: (\d+)%", text).group(1)) > 90
