//! The truth table of declarations: histories of signals as text, each with the decision that it must end in and the number of the
//! rule of practice that it shows.
//! It never copies an official payload: those are read from the folder that LIFEBOAT_AZURE_DATA names.

mod compose;
mod doors;
mod history;
mod table;
