//! Stage 3: one alert in, documents for people and systems out.
