-- The product audit of django-pgtrigger: product_id, action, old_data, new_data, changed_at, as whole rows.
create table product (id serial primary key, name varchar(255), price numeric(10,2), stock integer);
select vestige.track('product', capture => 'full');
insert into product (name, price, stock) values ('Teapot', 9.99, 3);
update product set stock = 2;
delete from product;

create view product_audit as
select id, record_id::int as product_id, action, old_values as old_data, new_values as new_data, changed_at
from vestige.audit_log where table_name = 'product';

select product_id, action, old_data, new_data from product_audit order by id;
select action, count(*) from product_audit where product_id = 1 group by action order by action;
