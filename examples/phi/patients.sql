create table patient_records (
  id integer primary key,
  ssn text,
  name text,
  diagnosis text
);
insert into patient_records (id, ssn, name, diagnosis) values (12345, '123-45-6789', 'J. Smithers', 'Hypertension');
