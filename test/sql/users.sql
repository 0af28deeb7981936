-- Comprehensive, immutable, business-aware records of users: every column of such a table, and the queries that its
-- indexes are for.
create table users (id bigint primary key, email text, name text);
select vestige.track('users', classification => 'confidential', retention => '7 years', tags => '{GDPR,SOX}',
                     require => '{actor,business_process}');
begin; select set_config('vestige.context', '{"actor": "17", "on_behalf_of": "42", "business_process": "user_registration", "reason": "web form",
  "request_id": "r-1", "session_id": "s-1", "ip_address": "10.1.2.3", "user_agent": "Firefox", "auth_method": "oauth", "auth_role": "clerk"}', true);
insert into users values (42, 'a@example.com', 'Ann');
commit;
begin; select set_config('vestige.context', '{"actor": "42", "business_process": "profile_update", "request_id": "r-2", "ip_address": "10.9.9.9"}', true);
update users set email = 'ann@example.com' where id = 42;
commit;

select record_id::bigint as user_id, changed_by::bigint as initiated_by_user_id, business_process, request_id, session_id,
       action as operation_type, table_name, old_values, new_values, changed_fields
from vestige.audit_log order by id;
select on_behalf_of, reason, auth_method as authorization_method, auth_role as authorized_by_role, ip_address, user_agent,
       data_classification, retention_category, compliance_tags
from vestige.audit_log order by id;

-- By user and time, by business process, by tag, by address; by request.
select action from vestige.history('users', '42') order by changed_at desc;
select count(*) from vestige.audit_log where business_process = 'profile_update' and changed_at > now() - interval '1 day';
select count(*) from vestige.audit_log where compliance_tags @> '{GDPR}';
select action from vestige.audit_log where ip_address <<= '10.1.0.0/16';
select action, changed_fields from vestige.audit_log where request_id = 'r-2';

-- Nobody rewrites it.
update vestige.change set new_row = '(42,b@example.com,Bob)';
delete from vestige.change;
truncate vestige.change;
update vestige.audit_log set changed_by = '1';

-- A process without its business context changes nothing.
begin; select set_config('vestige.context', '{"actor": "42"}', true);
delete from users;
commit;
