-- The shop: who changed a price, its history, a product at a moment, large changes.
create table products (id serial primary key, name varchar(100), price integer, stock integer);
select vestige.track('products', tags => '{SOX}');
insert into products (name, price, stock) values ('Gaming Laptop', 99900, 10), ('Mouse', 1900, 5);

begin;
select vestige.set_context('{"actor": "sale_system", "reason": "summer sale"}');
update products set price = 89900 where id = 1;
commit;
create table moments as select clock_timestamp() as before_restore;
begin;
select vestige.set_context('{"actor": "manager_john"}');
update products set price = 94900 where id = 1;
commit;
begin;
select vestige.set_context('{"actor": "sale_system"}');
update products set price = 900 where id = 2;
commit;
update products set stock = 9 where id = 1;

-- The history of a record, newest first.
select action, changed_by = current_user as by_the_database_user, changed_by, old_values, new_values
from vestige.history('products', '1') where changed_by <> current_user;

-- The price history of a product.
select (new_values->>'price')::int / 100 as dollars, case when changed_by = current_user then 'somebody' else changed_by end as by
from vestige.audit_log
where table_name = 'products' and record_id = '1' and action in ('INSERT', 'UPDATE') and new_values ? 'price'
order by changed_at;

-- Price changes by more than half, and by how much.
select record_id, changed_by, round(((new_values->>'price')::numeric - (old_values->>'price')::numeric)
         / (old_values->>'price')::numeric * 100, 2) as change_percentage
from vestige.audit_log
where action = 'UPDATE' and 'price' = any (changed_fields)
  and abs((new_values->>'price')::numeric - (old_values->>'price')::numeric) > (old_values->>'price')::numeric * 0.5;

-- The state of a record at a time, and of all of them.
select p.* from moments, lateral vestige.as_of(null::products, before_restore) p where id = 1;
select p.* from moments, lateral vestige.as_of(null::products, before_restore) p order by id;

-- A field over time, as bars.
select repeat('#', least((new_values->>'price')::int / 10000, 40)) as bar, new_values->>'price' as price
from vestige.history('products', '1') where new_values ? 'price' order by changed_at;

-- Old entries, by what the policy says.
select retention_category, count(*) from vestige.audit_log group by 1;
