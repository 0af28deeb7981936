-- Patient records: each change with its reason, and the report of who changed protected health information.
create table patient_records (id integer primary key, name text, diagnosis text, phone text);
insert into patient_records values (12345, 'J. Doe', 'Hypertension', '555-1'), (7, 'R. Roe', 'Asthma', '555-2');
create table rooms (id integer primary key, free boolean);
insert into rooms values (1, true);
select vestige.track('patient_records', tags => '{HIPAA}', classification => 'PHI', retention => '6 years', require => '{actor,reason}'),
       vestige.track('rooms');

-- Without a reason nothing is changed.
update patient_records set diagnosis = 'none' where id = 7;

begin;
select vestige.set_context('{"actor": "dr_smith", "reason": "Annual checkup - new diagnosis", "session_id": "s-1"}');
update patient_records set diagnosis = 'Hypertension, Type 2 Diabetes' where id = 12345;
commit;
begin;
select vestige.set_context('{"actor": "dr_smith", "reason": "follow-up"}');
update patient_records set diagnosis = 'Asthma, mild' where id = 7;
update rooms set free = false;
commit;
begin;
select vestige.set_context('{"actor": "nurse_lee", "reason": "new phone"}');
update patient_records set phone = '555-3' where id = 7;
commit;

select record_id, unnest(changed_fields) as field, changed_by, reason, session_id
from vestige.audit_log where table_name = 'patient_records' order by id;

-- The compliance report of a period, by user.
select count(*) as total_phi_accesses
from vestige.audit_log
where data_classification = 'PHI' and changed_at between current_date and current_date + interval '1 day';
select changed_by, count(*) as accesses
from vestige.audit_log
where data_classification = 'PHI' and changed_at between current_date and current_date + interval '1 day'
group by changed_by order by accesses desc, changed_by;
select distinct table_name, data_classification, retention_category from vestige.audit_log
where compliance_tags @> '{HIPAA}';
