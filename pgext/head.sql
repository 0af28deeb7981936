\echo create extension vestige installs this file; it does nothing by itself \quit
